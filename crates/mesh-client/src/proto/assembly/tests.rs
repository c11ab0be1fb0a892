use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;

const MAX: usize = 10_000;

fn id() -> MessageId {
    MessageId::parse("20200601122152994285_D59900").unwrap()
}

fn assembly() -> Assembly {
    Assembly::new(id(), MAX)
}

fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let length = body.len().to_string();
    let mut all = vec![("mex-messageid", id().as_str().as_bytes().to_vec())];
    all.push(("content-length", length.into_bytes()));
    all.extend(
        headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes().to_vec())),
    );
    Answer::new(
        status,
        all.iter().map(|(name, value)| (*name, value.as_slice())),
        body.to_vec(),
    )
}

fn damage(outcome: Result<Step, Error>) -> Damage {
    match outcome {
        Err(Error::Unusable { damage, .. }) => damage,
        other => panic!("{other:?}"),
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_message_in_one_piece() {
    for headers in [
        &[][..],
        &[("mex-chunk-range", "1:1")],
        &[("mex-chunk-range", "1:0")],
    ] {
        let Step::Complete(message) = assembly().take(answer(200, headers, b"letter")).unwrap()
        else {
            panic!("more was asked for");
        };
        assert_eq!(message.body, b"letter");
    }
}

#[test]
fn each_chunk_is_unpacked_by_its_own_header() {
    let first = answer(
        206,
        &[
            ("mex-chunk-range", "1:3"),
            ("content-encoding", "gzip"),
            ("mex-localid", "L1"),
        ],
        &gzip(b"one "),
    );
    let Step::Fetch(rest, 2) = assembly().take(first).unwrap() else {
        panic!("chunk 2")
    };
    let second = answer(206, &[("mex-chunk-range", "2:3")], b"two ");
    let Step::Fetch(rest, 3) = rest.take(second).unwrap() else {
        panic!("chunk 3")
    };
    let third = answer(
        200,
        &[("mex-chunk-range", "3:3"), ("content-encoding", "gzip")],
        &gzip(b"three"),
    );
    let Step::Complete(message) = rest.take(third).unwrap() else {
        panic!("more")
    };
    assert_eq!(message.body, b"one two three");
    assert_eq!(message.local_id.unwrap().as_str(), "L1");
}

#[test]
fn status_and_range_must_agree() {
    let wrong: [(u16, &[(&str, &str)]); 6] = [
        (206, &[]),
        (206, &[("mex-chunk-range", "1:1")]),
        (200, &[("mex-chunk-range", "1:3")]),
        (201, &[]),
        (204, &[]),
        (404, &[]),
    ];
    for (status, headers) in wrong {
        let outcome = assembly().take(answer(status, headers, b"letter"));
        assert_eq!(
            damage(outcome),
            Damage::UnexpectedStatus,
            "{status} {headers:?}"
        );
    }
}

#[test]
fn a_range_that_is_none_is_refused() {
    for range in [
        "2:3",
        "x:1",
        "1",
        "1:",
        ":",
        "1:99999999999",
        "-1:1",
        "1:1:1",
    ] {
        let outcome = assembly().take(answer(200, &[("mex-chunk-range", range)], b"letter"));
        assert!(
            matches!(damage(outcome), Damage::ChunkRange { .. }),
            "{range}"
        );
    }
    let outcome = assembly().take(answer(200, &[("mex-total-chunks", "2")], b"letter"));
    assert!(matches!(damage(outcome), Damage::ChunkRange { .. }));
}

#[test]
fn number_of_chunks_at_its_limit() {
    let most = format!("1:{CHUNKS_MAX}");
    let outcome = assembly().take(answer(206, &[("mex-chunk-range", &most)], b"letter"));
    assert!(matches!(outcome, Ok(Step::Fetch(_, 2))));
    let more = format!("1:{}", CHUNKS_MAX + 1);
    let outcome = assembly().take(answer(206, &[("mex-chunk-range", &more)], b"letter"));
    assert!(matches!(damage(outcome), Damage::TooManyChunks { .. }));
}

#[test]
fn size_of_the_whole_at_its_limit() {
    let half = vec![b'a'; MAX / 2];
    let first = || answer(206, &[("mex-chunk-range", "1:2")], &half);
    let last = |body: &[u8]| answer(200, &[("mex-chunk-range", "2:2")], body);
    let Ok(Step::Fetch(rest, _)) = assembly().take(first()) else {
        panic!("chunk 2")
    };
    assert!(matches!(rest.take(last(&half)), Ok(Step::Complete(_))));
    let Ok(Step::Fetch(rest, _)) = assembly().take(first()) else {
        panic!("chunk 2")
    };
    let too_much = vec![b'a'; MAX / 2 + 1];
    assert_eq!(
        damage(rest.take(last(&too_much))),
        Damage::TooLarge { max: MAX }
    );
}

#[test]
fn the_length_must_be_told_and_kept() {
    let with = |headers: &[(&str, &[u8])], body: &[u8]| {
        let own: [(&str, &[u8]); 1] = [("mex-to", b"X26ABC1")];
        let headers = own
            .iter()
            .chain(headers)
            .map(|(name, value)| (*name, *value));
        assembly().take(Answer::new(200, headers, body.to_vec()))
    };
    assert_eq!(damage(with(&[], b"letter")), Damage::NoLength);
    assert_eq!(
        damage(with(&[("content-length", b"six")], b"letter")),
        Damage::NoLength
    );
    let short = with(&[("content-length", b"7")], b"letter");
    assert_eq!(
        damage(short),
        Damage::Length {
            expected: 7,
            got: 6
        }
    );
    assert!(with(&[("transfer-encoding", b"chunked")], b"letter").is_ok());
    assert!(with(&[("content-encoding", b"gzip")], &gzip(b"letter")).is_ok());
}

#[test]
fn a_page_of_a_gateway_is_no_letter() {
    let page = Answer::new(
        200,
        [("content-length", &b"13"[..])],
        b"<html></html>".to_vec(),
    );
    assert_eq!(damage(assembly().take(page)), Damage::NotMesh);
}

#[test]
fn another_message_is_refused_whatever_its_case() {
    let other = answer(200, &[], b"letter");
    let outcome = Assembly::new(MessageId::parse("OTHER").unwrap(), MAX).take(other);
    assert_eq!(damage(outcome), Damage::OtherMessage);
    let lower = MessageId::parse("20200601122152994285_d59900").unwrap();
    assert!(
        Assembly::new(lower, MAX)
            .take(answer(200, &[], b"letter"))
            .is_ok()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_split_gives_the_same_bytes(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6)) {
        let total = parts.len();
        let mut step = Some(assembly());
        for (index, part) in parts.iter().enumerate() {
            let range = format!("{}:{total}", index + 1);
            let status = if index + 1 < total { 206 } else { 200 };
            let packed = [("mex-chunk-range", range.as_str()), ("content-encoding", "gzip")];
            let answer = answer(status, &packed, &gzip(part));
            match step.take().unwrap().take(answer).unwrap() {
                Step::Fetch(rest, _) => step = Some(rest),
                Step::Complete(message) => prop_assert_eq!(message.body, parts.concat()),
            }
        }
        prop_assert!(step.is_none());
    }

    #[test]
    fn no_answer_makes_it_panic(
        status in 100_u16..600,
        range in "\\PC{0,12}",
        total in "[0-9:x]{0,12}",
        body in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let headers = [("mex-chunk-range", range.as_str()), ("mex-total-chunks", total.as_str())];
        let _ = assembly().take(answer(status, &headers, &body));
    }
}
