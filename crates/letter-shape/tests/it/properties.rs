//! Any text in any place goes the whole way, and extraction never panics.

use clinical_letter::Section;
use letter_shape::{
    HtmlSubset, ReceiverProfile, ShapeError, Words, compare, prove, render_html, shape,
    source_words, visible_text,
};
use nhs_types::Sensitive;
use proptest::prelude::*;

use crate::support::{envelope, letter, profile};

fn receivers() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&ReceiverProfile::BUILTIN[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_proven_or_refused_never_lost(
        receiver in receivers(), heading in "(?s).{0,30}", text in "(?s).{0,200}", columns in any::<bool>(),
    ) {
        let mut letter = letter();
        let mut section = Section::new(&heading, text);
        section.preformatted = columns;
        letter.sections.insert(1, section);
        match shape(&letter, &profile(receiver), &envelope()) {
            Ok(shaped) => prop_assert!(shaped.proof.is_exact()),
            Err(ShapeError::Differs(proof)) => prop_assert!(false, "{:?}", proof),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn rows_and_paragraphs_of_any_form_are_proven(
        receiver in receivers(), text in "([a-z<&µŵ]{1,3}|\t| |\n){0,80}", columns in any::<bool>(),
    ) {
        let mut letter = letter();
        let mut section = Section::new("Plan", text.clone());
        section.preformatted = columns;
        letter.sections.push(section);
        letter.cc.push(Sensitive::new(text));
        prop_assert!(shape(&letter, &profile(receiver), &envelope()).is_ok());
    }

    #[test]
    fn words_are_the_text_of_what_is_rendered(words in prop::collection::vec("[^\\s\\p{C}]{1,8}", 0..40)) {
        let mut letter = letter();
        letter.sections = vec![Section::new("", words.join(" "))];
        for subset in [HtmlSubset::Standard, HtmlSubset::SystmOne] {
            let seen = Words::of(&visible_text(&render_html(&letter, subset)));
            prop_assert!(compare(&source_words(&letter), &seen).is_exact());
        }
    }

    #[test]
    fn any_page_is_read_without_panic(html in "(?s).{0,200}", tags in "[<>/!&;#a-z\"'= -]{0,200}") {
        let _ = visible_text(&html);
        let _ = visible_text(&tags);
        let _ = visible_text(&format!("<p>{tags}{html}</style>{tags}"));
    }

    #[test]
    fn any_bytes_are_proven_or_not_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(prove(&letter(), &bytes).is_err());
    }
}
