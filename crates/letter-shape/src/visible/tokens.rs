/// A piece of an HTML page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Close { name: String },
    Open { name: String, inside: &'a str },
    Text(&'a str),
}

/// Takes a page apart as browsers do: whatever begins no tag is text; comments, declarations and
/// instructions are nothing.
pub(super) fn tokens(html: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = html;
    let mut raw: Option<String> = None;
    while !rest.is_empty() {
        if let Some(name) = raw.take() {
            let (text, after) = split_raw(rest, &name);
            out.push(Token::Text(text));
            rest = after;
            continue;
        }
        let at = rest.find('<').unwrap_or(rest.len());
        let (text, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        if !text.is_empty() {
            out.push(Token::Text(text));
        }
        let Some(inner) = after.strip_prefix('<') else {
            break;
        };
        rest = tag(after, inner, &mut out);
        if let Some(Token::Open { name, .. }) = out.last()
            && matches!(name.as_str(), "script" | "style" | "title" | "textarea")
            && !std::ptr::eq(rest, after)
        {
            raw = Some(name.clone());
        }
    }
    out
}

/// Content of these elements ends at their own end tag and nowhere else.
fn split_raw<'a>(rest: &'a str, name: &str) -> (&'a str, &'a str) {
    let is_end = |at: &usize| {
        let from = at.saturating_add(2);
        let found = rest.get(from..from.saturating_add(name.len()));
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    let mut ends = rest.match_indices("</").map(|(at, _)| at);
    let at = ends.find(is_end).unwrap_or(rest.len());
    rest.split_at_checked(at).unwrap_or((rest, ""))
}

/// Reads what follows `<`, and gives what follows it.
fn tag<'a>(whole: &'a str, inner: &'a str, out: &mut Vec<Token<'a>>) -> &'a str {
    if let Some(comment) = inner.strip_prefix("!--") {
        let (_, after) = comment.split_once("-->").unwrap_or((comment, ""));
        return after;
    }
    if inner.starts_with(['!', '?']) {
        return inner.split_once('>').map_or("", |(_, after)| after);
    }
    let closing = inner.strip_prefix('/');
    let body = closing.unwrap_or(inner);
    if !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
        // A lone sign, such as in "eGFR < 60".
        let (sign, after) = whole.split_at_checked(1).unwrap_or((whole, ""));
        out.push(Token::Text(sign));
        return after;
    }
    let (body, after) = split_tag(body);
    let length = body
        .find(|c: char| c.is_whitespace() || c == '/')
        .unwrap_or(body.len());
    let (name, inside) = body.split_at_checked(length).unwrap_or((body, ""));
    let name = name.to_ascii_lowercase();
    out.push(match closing {
        Some(_) => Token::Close { name },
        None => Token::Open { name, inside },
    });
    after
}

/// Splits at the `>` that ends a tag; one within quotes does not.
fn split_tag(body: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, c) in body.char_indices() {
        match (quote, c) {
            (None, '>') => {
                let (tag, rest) = body.split_at_checked(at).unwrap_or((body, ""));
                return (tag, rest.strip_prefix('>').unwrap_or_default());
            }
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    (body, "")
}

/// Resolves references as HTML does, numeric C1 ones by Windows-1252.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after
            .split_once(';')
            .filter(|(name, _)| name.len() <= REFERENCE_MAX)
            .and_then(|(name, tail)| Some((resolve(name)?, tail)));
        if let Some((value, tail)) = known {
            out.push_str(&value);
            rest = tail;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The longest name of an HTML entity has 31 characters.
const REFERENCE_MAX: usize = 31;

fn resolve(name: &str) -> Option<String> {
    let Some(number) = name.strip_prefix('#') else {
        return kettering_xml::html_entity(name).map(str::to_owned);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    let c = char::from_u32(code.ok()?)?;
    Some(kettering_xml::sendable_text(&c.to_string()))
}
