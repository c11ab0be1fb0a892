//! Round trips over any text, and no panic on any bytes.

use kettering_xml::{Encoding, Mode, Payload, PayloadKind, Profile, build, parse, sendable_text};
use nhs_types::PersonName;
use proptest::prelude::*;

use crate::support::{bytes, data, html_words, message};

fn profile(encoding: Encoding) -> Profile {
    let mut profile = Profile::default();
    profile.encoding = encoding;
    profile.doctype = encoding == Encoding::Latin1;
    profile
}

fn encodings() -> impl Strategy<Value = Encoding> {
    prop_oneof![Just(Encoding::Utf8), Just(Encoding::Latin1)]
}

fn visible() -> impl Strategy<Value = String> {
    "[^\\p{C}\\s]{1,10}( [^\\p{C}\\s]{1,10}){0,3}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_name_and_scalar_comes_back(
        encoding in encodings(), family in visible(), given in visible(), department in visible(),
    ) {
        let mut message = message();
        message.patient.name = PersonName::new(&family, Some(&given), None).unwrap();
        message.sender.department = department;
        let built = build(&message, &profile(encoding)).unwrap();
        let parsed = parse(&built.bytes, Mode::Strict);
        prop_assert!(parsed.findings.is_empty());
        prop_assert_eq!(parsed.message, Some(message));
    }

    #[test]
    fn any_text_comes_back_as_it_was_cleaned(encoding in encodings(), text in "(?s)[^<{]{1,80}") {
        let text = format!("Dear Dr, {text}.");
        let mut message = message();
        message.payload = Payload::Text(text.clone());
        let built = build(&message, &profile(encoding)).unwrap();
        let found = parse(&built.bytes, Mode::Strict).payload.unwrap();
        prop_assert_eq!(found.text().unwrap(), sendable_text(&text));
    }

    #[test]
    fn any_html_comes_back_in_both_encodings(text in "(?s)[^<&＆]{0,80}") {
        let html = format!("<p>{text}]]></p>");
        let mut message = message();
        message.payload = Payload::Html(html.clone());
        let read = |encoding| {
            let built = build(&message, &profile(encoding)).unwrap();
            parse(&built.bytes, Mode::Strict).payload.unwrap().text().unwrap().to_owned()
        };
        let (utf8, latin1) = (read(Encoding::Utf8), read(Encoding::Latin1));
        prop_assert_eq!(&utf8, &sendable_text(&html));
        prop_assert_eq!(html_words(&utf8), html_words(&latin1));
    }

    #[test]
    fn any_file_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut file = b"%PDF-1.7 ".to_vec();
        file.extend(bytes.iter().filter(|byte| **byte != b'/'));
        file.extend(b"\n%%EOF\n");
        let mut message = message();
        message.payload = Payload::binary(PayloadKind::Pdf, file.clone());
        let built = build(&message, &profile(Encoding::Utf8)).unwrap();
        prop_assert_eq!(parse(&built.bytes, Mode::Strict).payload.unwrap().bytes, file);
    }

    #[test]
    fn a_second_round_changes_nothing(encoding in encodings(), text in "(?s).{0,60}") {
        let mut first = message();
        first.payload = Payload::Html(format!("<p>{text}</p>"));
        let mut profile = profile(encoding);
        profile.unsafe_html = nhs_types::Severity::Warning;
        let built = build(&first, &profile).unwrap();
        let again = parse(&built.bytes, Mode::Strict).message.unwrap();
        prop_assert_eq!(build(&again, &profile).unwrap().bytes, built.bytes);
    }

    #[test]
    fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for mode in [Mode::Lenient, Mode::Strict] {
            let parsed = parse(&bytes, mode);
            prop_assert!(parsed.message.is_none());
        }
    }

    #[test]
    fn mutated_examples_are_judged_without_panic(
        file in 0_usize..9, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(), cuts in any::<bool>(),
    ) {
        let mut files: Vec<_> = std::fs::read_dir(data().join("examples")).unwrap()
            .map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let mut bytes = bytes(&files[file]);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        for mode in [Mode::Lenient, Mode::Strict] {
            let parsed = parse(&bytes, mode);
            let errors = parsed.findings.has_errors();
            prop_assert!(errors || parsed.payload.is_some(), "a letter is lost without an error");
        }
    }
}
