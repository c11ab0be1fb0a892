//! `multipart/form-data` (RFC 7578) with a body that is here as a whole.

/// What one part of a form holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) name: String,
    pub(super) content: &'a [u8],
}

/// Why a body is no form that we read, in words for its sender. Nothing of it is repeated.
pub(super) type Wrong = &'static str;

/// What may stand around the contents: boundaries and the heads of parts.
pub(super) const FRAME_MAX: usize = 16 * 1024;
/// Longest boundary (RFC 2046, 5.1.1).
const BOUNDARY_MAX: usize = 70;
/// Longest head of a part.
const HEAD_MAX: usize = 4096;
/// Most parts.
const PARTS_MAX: usize = 8;

/// The boundary that a `Content-Type` names; `None` when it is no form.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let found = parameter(parameters, "boundary")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "'()+_,-./:=? ".contains(c);
    let fits = (1..=BOUNDARY_MAX).contains(&found.len());
    (fits && found.chars().all(allowed) && !found.ends_with(' ')).then_some(found)
}

/// Takes a form apart.
pub(super) fn parts<'a>(boundary: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, Wrong> {
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let first = delimiter.get(2..).unwrap_or_default();
    let mut rest = body
        .strip_prefix(first)
        .ok_or("the body does not begin with the boundary that Content-Type names")?;
    let mut parts = Vec::new();
    while !is_closed(rest) {
        if parts.len() == PARTS_MAX {
            return Err("the form has too many parts");
        }
        let head = rest
            .strip_prefix(b"\r\n")
            .ok_or("a boundary does not end its line")?;
        let (name, content) = head_of(head)?;
        let end = find(content, &delimiter).ok_or("the last boundary is missing")?;
        let (content, after) = content.split_at(end);
        rest = after.get(delimiter.len()..).unwrap_or_default();
        parts.push(Part { name, content });
    }
    Ok(parts)
}

fn is_closed(rest: &[u8]) -> bool {
    let after = rest.strip_prefix(b"--");
    after.is_some_and(|after| after.iter().all(u8::is_ascii_whitespace))
}

/// The name in a part's head, and what follows that.
fn head_of(text: &[u8]) -> Result<(String, &[u8]), Wrong> {
    let limit = text.len().min(HEAD_MAX);
    let within = text.get(..limit).unwrap_or_default();
    let end = within
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or("the head of a part does not end, or is too long")?;
    let (head, content) = text.split_at(end);
    let content = content.get(4..).unwrap_or_default();
    let head = std::str::from_utf8(head).map_err(|_| "the head of a part is no UTF-8")?;
    let mut name = None;
    for line in head.split("\r\n") {
        let (field, value) = line
            .split_once(':')
            .ok_or("a line in the head of a part is no header")?;
        if field.eq_ignore_ascii_case("content-disposition") {
            name = name_of(value);
        } else if field.eq_ignore_ascii_case("content-transfer-encoding")
            && !["binary", "8bit", "7bit"].contains(&&*value.trim().to_ascii_lowercase())
        {
            return Err("a part is encoded: send its bytes as they are");
        }
    }
    Ok((name.ok_or("a part has no name")?, content))
}

fn name_of(disposition: &str) -> Option<String> {
    let (kind, parameters) = disposition.split_once(';')?;
    let is_form = kind.trim().eq_ignore_ascii_case("form-data");
    is_form.then(|| parameter(parameters, "name")).flatten()
}

/// A parameter's value, with or without quotes.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_matches([' ', ';', '\t']);
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let (value, next) = after.split_at(end);
                (value.trim().to_owned(), next)
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = next;
    }
}

/// A quoted string and what follows its last quote.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, quoted.get(at + 1..)?)),
            _ => value.push(c),
        }
    }
    None
}

/// Where a delimiter begins that ends its line; a document may hold its beginning.
fn find(content: &[u8], delimiter: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = content.get(from..)?;
        let at = from + rest.iter().position(|byte| *byte == b'\r')?;
        let after = content.get(at..)?.strip_prefix(delimiter);
        if after.is_some_and(|after| after.starts_with(b"\r\n") || is_closed(after)) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests;
