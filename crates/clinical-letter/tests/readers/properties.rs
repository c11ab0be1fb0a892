//! No bytes make a reader panic, and what was read is never sent by halves.

use clinical_letter::{Disposition, ReadOptions, read};
use proptest::prelude::*;

use super::support::{all, word_parts, zipped};

fn read_all(bytes: &[u8]) {
    let readings = read(bytes, &ReadOptions::default());
    assert!(!readings.is_empty());
    for reading in readings {
        assert!(reading.reason.is_for(reading.disposition));
        assert!(serde_json::to_value(reading.to_json()).is_ok());
        let sends = reading.disposition == Disposition::Send;
        assert_eq!(reading.into_letter().is_ok(), sends);
    }
}

#[derive(Clone, Debug)]
enum Damage {
    Set(usize, u8),
    Cut(usize),
    Drop(usize, usize),
    Insert(usize, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), 0_usize..200).prop_map(|(at, count)| Damage::Drop(at, count)),
        (any::<usize>(), proptest::collection::vec(any::<u8>(), 0..9))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: Damage) {
    let length = bytes.len().max(1);
    match damage {
        Damage::Set(at, byte) => {
            if let Some(one) = bytes.get_mut(at % length) {
                *one = byte;
            }
        }
        Damage::Cut(at) => bytes.truncate(at % length),
        Damage::Drop(at, count) => {
            let from = (at % length).min(bytes.len());
            bytes.drain(from..(from + count).min(bytes.len()));
        }
        Damage::Insert(at, more) => {
            let at = (at % length).min(bytes.len());
            bytes.splice(at..at, more);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn readers_never_panic_on_damaged_corpus_files(
        pick in any::<proptest::sample::Index>(),
        damages in proptest::collection::vec(damage(), 1..5),
    ) {
        let files = all();
        let (_, mut bytes) = files[pick.index(files.len())].clone();
        for one in damages {
            apply(&mut bytes, one);
        }
        read_all(&bytes);
    }

    #[test]
    fn readers_never_panic_on_damaged_word_xml(
        damages in proptest::collection::vec(damage(), 1..5),
        blocks in "(<w:p>|</w:p>|<w:r>|</w:r>|<w:t>x</w:t>|<w:tbl>|</w:tbl>|<w:fldChar w:fldCharType='end'/>|<w:ins/>){0,12}",
    ) {
        let mut parts = word_parts(&blocks, &[]);
        let document = &mut parts.last_mut().unwrap().1;
        let mut bytes = document.clone().into_bytes();
        for one in damages {
            apply(&mut bytes, one);
        }
        *document = String::from_utf8_lossy(&bytes).into_owned();
        read_all(&zipped(&parts));
    }

    #[test]
    fn readers_never_panic_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn readers_never_panic_on_any_message(body in "[A-Z0-9|^~\\\\&\r\n .\"]{0,200}") {
        read_all(format!("MSH|^~\\&|A|B|||||MDM^T02|1|P|2.4\r{body}").as_bytes());
    }
}
