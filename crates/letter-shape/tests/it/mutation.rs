//! The proof under mutation: whatever is lost, changed, doubled or hidden is found.

use letter_shape::{
    HtmlSubset, ShapeError, Words, compare, prove, render_html, shape, source_words, visible_text,
};
use proptest::prelude::*;

use crate::support::{corpus, envelope, letter, profile};

fn is_exact(html: &str) -> bool {
    compare(&source_words(&letter()), &Words::of(&visible_text(html))).is_exact()
}

fn page() -> String {
    let html = render_html(&letter(), HtmlSubset::Standard);
    assert!(is_exact(&html));
    html
}

fn found(from: &str, to: &str) {
    let html = page();
    assert!(html.contains(from), "{from} is not on the page");
    assert!(
        !is_exact(&html.replacen(from, to, 1)),
        "not found: {from} > {to}"
    );
}

#[test]
fn a_dropped_table_row() {
    found(
        "<tr><td>Clopidogrel</td> <td>75 mg</td> <td>Continued</td></tr>\n",
        "",
    );
    found(
        "<tr><td><b>NHS number</b></td> <td>999 030 8241</td></tr>\n",
        "",
    );
}

#[test]
fn a_dropped_or_emptied_cell() {
    found("<td>75 mg</td>", "");
    found("<td>75 mg</td>", "<td></td>");
}

#[test]
fn cells_that_changed_places() {
    found(
        "<td>75 mg</td> <td>Continued</td>",
        "<td>Continued</td> <td>75 mg</td>",
    );
}

#[test]
fn a_changed_dose() {
    found("75 mg", "750 mg");
    found("75 mg", "75 µg");
    found("75 mg", "7 5 mg");
    found("75 mg", "75mg");
}

#[test]
fn a_mangled_micro_sign() {
    for wrong in ["Âµg", "�g", "?g", "μg", "mg", "g"] {
        found("25 µg", &format!("25 {wrong}"));
    }
}

#[test]
fn a_lost_last_section() {
    found("<p>Plan: ≥ 2 doses, “as before” – €0.</p>\n", "");
    let html = page();
    let (before, _) = html.split_once("Seen with").unwrap();
    assert!(!is_exact(before), "the rest of the page is gone");
}

#[test]
fn a_lost_or_added_negation() {
    found("She is well", "She is not well");
    found("&lt; 60", "60");
    found("&lt; 60", "&gt; 60");
}

#[test]
fn a_doubled_paragraph_or_row() {
    found(
        "<tr><td>Clopidogrel",
        "<tr><td>Clopidogrel</td> <td>75 mg</td> <td>Continued</td></tr>\n<tr><td>Clopidogrel",
    );
    found("<h2>", "<p>Seen with her daughter.</p><h2>");
}

#[test]
fn text_hidden_by_style_attribute_comment_or_element() {
    for hidden in [
        "<tr style=\"display:none\">",
        "<tr style='DISPLAY : NONE'>",
        "<tr hidden>",
        "<tr style='visibility:hidden'>",
        "<tr style='font-size:0px'>",
        "<tr style='opacity:0'>",
        "<tr style='color:#ffffff'>",
        "<tr style='color: white'>",
        "<tr style='dis/**/play:none'>",
        "<tr style='position:absolute;left:-9999px'>",
        "<tr style='display&#58;none'>",
        "<tr><!-- ",
        "<tr><template>",
        "<tr><script>",
        "<tr><textarea>",
        "<tr><del>",
        "<tr><font color=white>",
        "<tr aria-hidden='true'>",
    ] {
        found("<tr><td>Clopidogrel", &format!("{hidden}<td>Clopidogrel"));
    }
    found("</head>", "<style>td { display: none }</style></head>");
    found("<body>", "<body hidden>");
    found("<h2>", "</h2><div style='display:none'><h2>");
}

#[test]
fn words_that_ran_together_or_apart() {
    found("her daughter", "herdaughter");
    found("daughter", "daugh ter");
    found("<br>\nShe", "She");
}

#[test]
fn swapped_sections() {
    let html = page();
    let (before, rest) = html.split_once("<h2>").unwrap();
    let mut sections: Vec<&str> = rest.split("<h2>").collect();
    sections.swap(0, 1);
    assert!(!is_exact(&format!("{before}<h2>{}", sections.join("<h2>"))));
}

#[test]
fn a_place_is_named() {
    let html = page().replace("75 mg", "50 mg");
    let proof = compare(&source_words(&letter()), &Words::of(&visible_text(&html)));
    assert_eq!((proof.changed, proof.missing, proof.added), (1, 0, 0));
    let difference = &proof.differences[0];
    assert_eq!(source_words(&letter()).as_slice()[difference.at - 1], "75");
    assert_eq!(
        (
            difference.expected.expose().as_str(),
            difference.found.expose().as_str()
        ),
        ("75", "50")
    );
}

#[test]
fn another_patient_in_the_header_is_found() {
    let shaped = shape(&letter(), &profile("emis"), &envelope()).unwrap();
    let text = String::from_utf8(shaped.artefact.bytes).unwrap();
    for (from, to, count) in [
        ("<IdValue>9990308241", "<IdValue>9996281949", 1),
        ("<FamilyName>O'TESTCASE", "<FamilyName>OTESTCASE", 1),
        ("<GivenName>Siân", "<GivenName>Sian", 1),
        ("<BirthDate>19580317", "<BirthDate>19580318", 1),
    ] {
        let proof = prove(&letter(), text.replace(from, to).as_bytes()).unwrap();
        assert_eq!((proof.header, proof.changed), (count, 0), "{from}");
        assert!(!proof.is_exact());
    }
    let error = prove(&letter(), text.replace("</ReportMsg>", "").as_bytes()).unwrap_err();
    assert!(error.to_string().starts_with("the artefact cannot be read"));
}

#[test]
fn a_letter_that_differs_is_not_given_out() {
    let shaped = shape(&letter(), &profile("emis"), &envelope()).unwrap();
    let text = String::from_utf8(shaped.artefact.bytes).unwrap();
    let proof = prove(&letter(), text.replace("Clopidogrel", "").as_bytes()).unwrap();
    let error = ShapeError::Differs(Box::new(proof));
    assert_eq!(
        error.to_string(),
        "the artefact differs from the letter: 1 missing, 0 added, 0 changed words, 0 header values"
    );
}

/// Where the text of the page stands: pieces between tags that hold words.
fn texts(html: &str) -> Vec<(usize, String)> {
    let body = html.find("<body>").unwrap() + "<body>".len();
    let mut out = Vec::new();
    let mut at = 0;
    for (index, part) in html.split('<').enumerate() {
        let start = at + if index == 0 { 0 } else { 1 };
        let from = part.find('>').map_or(0, |end| end + 1);
        let text = part.get(from..).unwrap();
        if start + from >= body && !text.trim().is_empty() && text != "&nbsp;" {
            out.push((start + from, text.to_owned()));
        }
        at = start + part.len();
    }
    out
}

fn replaced(html: &str, at: usize, old: &str, new: &str) -> String {
    let (before, after) = html.split_at_checked(at).unwrap();
    let after = after.strip_prefix(old).unwrap();
    format!("{before}{new}{after}")
}

fn has_two_words(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let first = words.next();
    words.any(|word| Some(word) != first)
}

fn mutated_word(word: &str, how: u8) -> String {
    let digit = word.chars().find(char::is_ascii_digit);
    match (how, digit) {
        (0, Some(digit)) => {
            let other = if digit == '9' { '0' } else { '9' };
            word.replacen(digit, &other.to_string(), 1)
        }
        (1, _) => String::new(),
        (2, _) => format!("{word} {word}"),
        (3, _) => format!("<span style='display:none'>{word}</span>"),
        (4, _) => format!("<!--{word}-->"),
        (5, _) => format!("{word}0"),
        _ => format!("x{word}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn one_word_lost_changed_doubled_or_hidden(piece in any::<prop::sample::Index>(),
        word in any::<prop::sample::Index>(), how in 0_u8..7, systmone in any::<bool>(),
    ) {
        let subset = if systmone { HtmlSubset::SystmOne } else { HtmlSubset::Standard };
        let html = render_html(&letter(), subset);
        let texts = texts(&html);
        let (at, text) = &texts[piece.index(texts.len())];
        let words: Vec<&str> = text.split_whitespace().collect();
        let target = words[word.index(words.len())];
        let mutated = text.replacen(target, &mutated_word(target, how), 1);
        prop_assert!(!is_exact(&replaced(&html, *at, text, &mutated)), "{target} by {how}");
    }

    #[test]
    fn two_words_that_changed_places(piece in any::<prop::sample::Index>(),
        one in any::<prop::sample::Index>(), two in any::<prop::sample::Index>(),
    ) {
        let html = page();
        let mut texts = texts(&html);
        texts.retain(|(_, text)| has_two_words(text));
        let (at, text) = &texts[piece.index(texts.len())];
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let one = one.index(words.len());
        let others: Vec<usize> = (0..words.len()).filter(|at| words[*at] != words[one]).collect();
        let two = others[two.index(others.len())];
        words.swap(one, two);
        prop_assert!(!is_exact(&replaced(&html, *at, text, &words.join(" "))));
    }

    #[test]
    fn one_changed_letter_or_digit_anywhere(
        piece in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), other in "[0-9A-Za-zµé]",
    ) {
        let html = page();
        let texts = texts(&html);
        let (at, text) = &texts[piece.index(texts.len())];
        let mut chars: Vec<char> = text.chars().collect();
        let places: Vec<usize> = (0..chars.len()).filter(|i| chars[*i].is_alphanumeric()).collect();
        prop_assume!(!places.is_empty());
        let place = places[place.index(places.len())];
        let other = other.chars().next().unwrap();
        prop_assume!(chars[place] != other);
        chars[place] = other;
        let changed: String = chars.into_iter().collect();
        prop_assert!(!is_exact(&replaced(&html, *at, text, &changed)), "{text} > {changed}");
    }

    #[test]
    fn a_page_cut_anywhere_in_its_text(cut in any::<prop::sample::Index>()) {
        let html = page();
        let end = html.find("</body>").unwrap();
        let last = html.find("1118-1003</p>").unwrap();
        let at = cut.index(end);
        if html.is_char_boundary(at) && at <= last {
            prop_assert!(!is_exact(html.get(..at).unwrap()));
        }
    }
}

#[test]
fn every_word_of_every_corpus_letter_counts() {
    let letters = corpus();
    let mut tried = 0;
    for (name, letter) in letters
        .iter()
        .filter(|(_, letter)| letter.attachment.is_none())
    {
        let html = render_html(letter, HtmlSubset::Standard);
        let source = source_words(letter);
        for (at, text) in texts(&html) {
            let mutated = replaced(&html, at, &text, "");
            let seen = Words::of(&visible_text(&mutated));
            assert!(
                !compare(&source, &seen).is_exact(),
                "{name}: a lost piece is not found"
            );
            tried += 1;
        }
    }
    assert!(letters.is_empty() || tried > 100, "{tried} pieces");
}
