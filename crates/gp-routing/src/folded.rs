//! Names as they are compared: case, accents and punctuation do not count (gp-routing 7.4).

/// A name in lower-case letters and digits alone.
pub(crate) fn name(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .fold(String::new(), |mut name, c| {
            match plain(c) {
                Some(letters) => name.push_str(letters),
                None if c.is_alphanumeric() => name.push(c),
                None => {}
            }
            name
        })
}

/// The plain letters of an accented letter of Latin-1 and Latin Extended-A.
const fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' => "t",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn gp_routing_7_4_case_accents_and_punctuation_do_not_count() {
        assert_eq!(name("O'NEILL-Dale"), name("oneill dale"));
        assert_eq!(name("Çelik Øst"), "celikost");
        assert_eq!(name("e\u{301}"), "e", "a combining accent is no letter");
        assert_ne!(name("ASHWORTH"), name("ASHWORTHY"));
        assert_eq!(name(" -' "), "");
    }
}
