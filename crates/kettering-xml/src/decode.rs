use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use nhs_types::Severity;

use crate::Limits;
use crate::characters;
use crate::rule::{Findings, W02, W03, W06, W07};

/// Bytes of a message to the text of its XML (facts 2, 8.5, 8.6, 8.12).
///
/// `None` when nothing further can be read; the finding says why.
pub(crate) fn decode(bytes: &[u8], findings: &mut Findings<'_>) -> Option<String> {
    if bytes.len() > Limits::INPUT_MAX {
        let message = format!("{} bytes, at most {}", bytes.len(), Limits::INPUT_MAX);
        findings.add(W06, "", message);
        return None;
    }
    let text = decode_bytes(bytes, findings)?;
    let (cleaned, forbidden) = characters::without_forbidden(&text);
    if forbidden == 0 {
        return Some(text);
    }
    findings.add(W02, "", forbidden_message(forbidden));
    findings.purpose.is_lenient().then_some(cleaned)
}

pub(crate) fn forbidden_message(count: usize) -> String {
    format!("{count} characters that XML 1.0 forbids, such as the control characters of Word")
}

fn decode_bytes(bytes: &[u8], findings: &mut Findings<'_>) -> Option<String> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return decode_as(encoding, bytes.get(mark..)?, findings);
    }
    let Some(label) = declared_label(bytes) else {
        return decode_as(UTF_8, bytes, findings);
    };
    let encoding = Encoding::for_label(label);
    // A declaration that could be read byte by byte is not in UTF-16, whatever it says.
    let known = encoding.filter(|found| *found != UTF_16LE && *found != UTF_16BE);
    let Some(encoding) = known else {
        findings.add(W03, "", "the declared encoding is not the one of the bytes");
        return lenient(findings)
            .then(|| decode_as(UTF_8, bytes, findings))
            .flatten();
    };
    let cp1252 = label.to_ascii_lowercase().ends_with(b"1252");
    if encoding == WINDOWS_1252 && !cp1252 && bytes.iter().any(|b| (0x80..=0x9F).contains(b)) {
        let message = "bytes 80 to 9F under a declared ISO 8859-1: read as Windows-1252";
        findings.add(W07, "", message);
    }
    decode_as(encoding, bytes, findings)
}

fn decode_as(
    encoding: &'static Encoding,
    bytes: &[u8],
    findings: &mut Findings<'_>,
) -> Option<String> {
    let (text, damaged) = encoding.decode_without_bom_handling(bytes);
    if !damaged {
        return Some(text.into_owned());
    }
    let message = format!("bytes that are not valid {}", encoding.name());
    findings.add(W03, "", message);
    if !lenient(findings) {
        return None;
    }
    let second = if encoding == UTF_8 {
        WINDOWS_1252
    } else {
        encoding
    };
    Some(second.decode_without_bom_handling(bytes).0.into_owned())
}

const fn lenient(findings: &Findings<'_>) -> bool {
    findings.purpose.is_lenient()
}

/// The label within `<?xml ... encoding="..." ?>`, as bytes.
fn declared_label(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes
        .windows(2)
        .take(DECLARATION_MAX)
        .position(|w| w == b"?>")?;
    let declaration = bytes.get(..end)?.strip_prefix(b"<?xml")?;
    let key = b"encoding";
    let at = declaration.windows(key.len()).position(|w| w == key)?;
    let rest = declaration.get(at + key.len()..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b"=")?.trim_ascii_start();
    let (quote, rest) = rest.split_first()?;
    let length = rest.iter().position(|byte| byte == quote)?;
    rest.get(..length)
}

/// An XML declaration ends within this many bytes, or is taken for absent.
const DECLARATION_MAX: usize = 256;

/// Grades a character that came in by a numeric reference such as `&#11;`.
pub(crate) fn check_reference(c: char, place: &str, findings: &mut Findings<'_>) -> bool {
    let forbidden = characters::is_forbidden(c);
    if forbidden {
        let weight = if lenient(findings) {
            Severity::Warning
        } else {
            Severity::Error
        };
        findings.add_as(
            W02,
            weight,
            place,
            "a reference to a character that XML 1.0 forbids",
        );
    }
    !forbidden
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;
    use crate::rule::Purpose;

    fn decoded(bytes: &[u8], mode: Mode) -> (Option<String>, Vec<String>) {
        let mut findings = Findings::new(Purpose::Parse(mode));
        let text = decode(bytes, &mut findings);
        let report = findings.into_report();
        let ids = report
            .into_iter()
            .map(|f| format!("{} {}", f.severity, f.rule));
        (text, ids.collect())
    }

    fn lenient_text(bytes: &[u8]) -> String {
        decoded(bytes, Mode::Lenient).0.unwrap()
    }

    #[test]
    fn byte_order_marks_decide() {
        assert_eq!(lenient_text(b"\xEF\xBB\xBF<a/>"), "<a/>");
        assert_eq!(lenient_text(b"\xFF\xFE<\0a\0/\0>\0"), "<a/>");
        assert_eq!(lenient_text(b"\xFE\xFF\0<\0a\0/\0>"), "<a/>");
    }

    #[test]
    fn the_declared_label_is_found_however_it_is_quoted() {
        for text in [
            "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>",
            "<?xml version='1.0' encoding = 'iso-8859-1' ?>",
        ] {
            assert_eq!(declared_label(text.as_bytes()), Some(&b"iso-8859-1"[..]));
        }
        assert_eq!(
            declared_label(b"<?xml version=\"1.0\"?><a encoding=\"x\"/>"),
            None
        );
        assert_eq!(declared_label(b"<a/>"), None);
    }

    #[test]
    fn k_w03_windows_bytes_under_utf_8() {
        let bytes = b"<?xml version='1.0' encoding='utf-8'?><a>Si\xE2n</a>";
        assert_eq!(
            decoded(bytes, Mode::Strict),
            (None, vec!["error K-W03".to_owned()])
        );
        let (text, ids) = decoded(bytes, Mode::Lenient);
        assert!(text.unwrap().contains("Siân"));
        assert_eq!(ids, ["warning K-W03"]);
    }

    #[test]
    fn k_w03_a_utf_16_label_on_bytes_that_are_not() {
        let bytes = b"<?xml version='1.0' encoding='utf-16'?><a>\xC3\xA9</a>";
        assert_eq!(decoded(bytes, Mode::Strict).1, ["error K-W03"]);
        assert!(lenient_text(bytes).contains('é'));
    }

    #[test]
    fn k_w07_only_for_a_declared_latin_1() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\x92</a>";
        assert_eq!(decoded(latin, Mode::Lenient).1, ["warning K-W07"]);
        assert!(lenient_text(latin).contains('’'));
        let windows = b"<?xml version='1.0' encoding='windows-1252'?><a>\x92</a>";
        assert!(decoded(windows, Mode::Strict).1.is_empty());
    }

    #[test]
    fn k_w06_input_size_at_its_limit() {
        let at = vec![b' '; Limits::INPUT_MAX];
        assert!(decoded(&at, Mode::Strict).0.is_some());
        let past = vec![b' '; Limits::INPUT_MAX + 1];
        assert_eq!(
            decoded(&past, Mode::Lenient),
            (None, vec!["error K-W06".to_owned()])
        );
    }
}
