//! Symbols by font and code (section 7.1).

/// The character of a `w:sym`, if it is one that we know. Codes come with or without `F0`.
pub(super) fn symbol(font: &str, code: &str) -> Option<char> {
    let code = u32::from_str_radix(code, 16).ok()? & 0xff;
    let font = font.to_ascii_lowercase();
    let table = match font.as_str() {
        "wingdings" => WINGDINGS,
        "symbol" => SYMBOL,
        _ => return None,
    };
    let found = table.iter().find(|(one, _)| *one == code);
    found.map(|(_, character)| *character)
}

const WINGDINGS: &[(u32, char)] = &[
    (0xfc, '✓'),
    (0xfb, '✗'),
    (0xa8, '☐'),
    (0xfe, '☑'),
    (0xe0, '→'),
];

const SYMBOL: &[(u32, char)] = &[
    (0x6d, 'µ'),
    (0xb0, '°'),
    (0xb3, '≥'),
    (0xa3, '≤'),
    (0xb1, '±'),
    (0x61, 'α'),
    (0x62, 'β'),
];

#[cfg(test)]
mod tests {
    use super::symbol;

    #[test]
    fn section_7_1_symbols() {
        assert_eq!(symbol("Wingdings", "F0FC"), Some('✓'));
        assert_eq!(symbol("Symbol", "6D"), Some('µ'));
        assert_eq!(symbol("Symbol", "F0FC"), None);
        assert_eq!(symbol("Webdings", "F061"), None);
        assert_eq!(symbol("Symbol", "zz"), None);
    }
}
