use proptest::prelude::*;

use super::*;
use crate::{DataValue, INT_MAX};

fn body() -> EventBody {
    EventBody {
        id: EventId::from_bytes([7; 16]),
        at: Timestamp::from_millis(0),
        stream: StreamKey::from_bytes([1; 16]),
        copy: Some(2),
        lseq: 3,
        subject: Some(SubjectKey::from_bytes([2; 16])),
        kind: "t".to_owned(),
        state: "S".to_owned(),
        actor: "svc:a".to_owned(),
        data: Data::new(),
    }
}

fn text(event: &Event) -> String {
    String::from_utf8(event.to_canonical().unwrap()).unwrap()
}

fn with_data(json: &str) -> String {
    text(&body().sequenced(4, Hash::ZERO)).replace("{}", json)
}

/// The error of both readers: the one that builds the event, and the one of the verification.
fn refused(text: &str) -> EventError {
    let parsed = Event::parse(text.as_bytes()).unwrap_err();
    let scanned = canonical::scan::<canonical::Skip>(text.as_bytes(), Form::Sequenced);
    assert_eq!(scanned.err().as_ref(), Some(&parsed), "{text}");
    parsed
}

#[test]
fn section_5_1_all_members_in_their_order() {
    assert_eq!(
        text(&body().sequenced(4, Hash::ZERO)),
        r#"{"actor":"svc:a","at":"1970-01-01T00:00:00.000Z","copy":2,"data":{},"#.to_owned()
            + &format!(
                r#""id":"07070707-0707-0707-0707-070707070707","letter":"{}","lseq":3,"#,
                "01".repeat(16)
            )
            + &format!(
                r#""patient":"{}","prev":"{}","#,
                "02".repeat(16),
                "0".repeat(64)
            )
            + r#""seq":4,"state":"S","type":"t","v":1}"#
    );
}

#[test]
fn section_5_1_a_body_has_neither_seq_nor_prev() {
    let bytes = body().to_canonical().unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(!text.contains("\"seq\"") && !text.contains("\"prev\""));
    assert_eq!(EventBody::parse_body(&bytes), Ok(body()));
    assert!(Event::parse(&bytes).is_err());
    let sequenced = body().sequenced(0, Hash::ZERO).to_canonical().unwrap();
    assert!(EventBody::parse_body(&sequenced).is_err());
}

#[test]
fn section_5_1_data_of_every_kind() {
    let mut event = body().sequenced(4, Hash::ZERO);
    event.body.data = Data::new()
        .with("z", true)
        .with("a", -5)
        .with(
            "list",
            vec![
                DataValue::Bool(false),
                0.into(),
                "\"\\/é\u{7f}\u{2028}".into(),
            ],
        )
        .with(
            "B",
            Data::new()
                .with("", Data::new())
                .with("none", Vec::<bool>::new()),
        );
    let written = text(&event);
    let expected = r#""data":{"B":{"":{},"none":[]},"a":-5,"list":[false,0,"\"\\/é"#;
    assert!(written.contains(expected), "{written}");
    assert_eq!(Event::parse(written.as_bytes()), Ok(event));
}

#[test]
fn section_5_1_only_the_canonical_form_is_read() {
    for json in [
        "{ }",
        r#"{"a":1 }"#,
        r#"{"a": 1}"#,
        r#"{"b":1,"a":1}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,}"#,
        r#"{"a":null}"#,
        r#"{"a":1.0}"#,
        r#"{"a":1e3}"#,
        r#"{"a":01}"#,
        r#"{"a":-0}"#,
        r#"{"a":-}"#,
        r#"{"a":1-2}"#,
        r#"{"a":+1}"#,
        r#"{"a":9007199254740992}"#,
        r#"{"a":-9007199254740992}"#,
        r#"{"a":99999999999999999999}"#,
        r#"{"a":"\u0041"}"#,
        r#"{"a":"\/"}"#,
        r#"{"a":"\n"}"#,
        "{\"a\":\"\n\"}",
        "{\"a\":\"\u{1f}\"}",
        r#"{"a":"}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[,1]}"#,
        r#"{"a":[1 ,2]}"#,
        r#"{"a":[1}"#,
        r#"{"a":True}"#,
        r#"{"a":tru}"#,
        r#"{"é":1}"#,
        r#"{a:1}"#,
        "[]",
        "",
    ] {
        let error = refused(&with_data(json));
        assert!(
            matches!(error, EventError::NotCanonical { .. }),
            "{json}: {error}"
        );
    }
    for json in [
        "{}",
        r#"{"a":9007199254740991}"#,
        r#"{"a":-9007199254740991,"b":"\\\""}"#,
    ] {
        assert_eq!(
            text(&Event::parse(with_data(json).as_bytes()).unwrap()),
            with_data(json)
        );
    }
}

#[test]
fn section_5_1_keys_sort_by_what_they_stand_for() {
    // `"` is 22 and `#` 23, but the escape `\"` begins with 5c.
    let json = r##"{"\"":1,"#":2,"\\":3,"]":4}"##;
    let event = Event::parse(with_data(json).as_bytes()).unwrap();
    assert_eq!(
        event
            .body
            .data
            .iter()
            .map(|(key, _)| key)
            .collect::<String>(),
        "\"#\\]"
    );
}

#[test]
fn section_5_1_members_are_read_strictly() {
    let good = with_data("{}");
    for (from, to) in [
        ("\"v\":1}", "\"v\":2}"),
        ("\"v\":1}", "\"v\":1} "),
        ("\"v\":1}", "\"v\":1"),
        ("{\"actor\"", " {\"actor\""),
        ("svc:a", "svc:"),
        ("svc:a", "user:"),
        ("svc:a", "app:a"),
        ("\"copy\":2", "\"copy\":0"),
        ("\"copy\":2", "\"copy\":-1"),
        ("\"copy\":2", "\"copy\":4294967296"),
        ("\"lseq\":3", "\"lseq\":-3"),
        ("\"lseq\":3", "\"lseq\":9007199254740992"),
        ("\"lseq\":3", "\"lseq\":\"3\""),
        ("\"type\":\"t\"", "\"type\":\"\""),
        ("0101", "010A"),
        ("1970-01-01", "1970-02-30"),
        ("\"state\"", "\"extra\":1,\"state\""),
        ("\"seq\":4,", ""),
        ("-0707-", "-0707_"),
    ] {
        assert!(good.contains(from), "{from}");
        let changed = good.replacen(from, to, 1);
        let error = refused(&changed);
        assert!(
            matches!(error, EventError::NotCanonical { .. }),
            "{to}: {error}"
        );
    }
    assert!(Event::parse(good.replace("svc:a", "user:7").as_bytes()).is_ok());
    let without = good.replace("\"copy\":2,", "");
    assert_eq!(Event::parse(without.as_bytes()).unwrap().body.copy, None);
    assert!(Event::parse(good.replace("\"copy\":2", "\"copy\":4294967295").as_bytes()).is_ok());
}

#[test]
fn an_error_tells_the_place() {
    let changed = with_data("{}").replace("\"copy\":2", "\"copy\":0");
    let at = changed.find(":0,").unwrap() + 1;
    assert_eq!(
        refused(&changed).to_string(),
        format!("not a canonical event: expected a copy number from 1 at byte {at}")
    );
    let not_text = [changed.as_bytes(), &[0xff]].concat();
    assert_eq!(
        Event::parse(&not_text),
        Err(EventError::NotCanonical {
            at: changed.len(),
            expected: "UTF-8"
        })
    );
    let broken = with_data("{\"a\":\"b\n\"}");
    let at = broken.find('\n').unwrap();
    assert!(
        Event::parse(broken.as_bytes())
            .unwrap_err()
            .to_string()
            .ends_with(&at.to_string())
    );
}

#[test]
fn section_5_1_what_cannot_be_written_is_named() {
    type Change = fn(&mut EventBody);
    let cases: [(&str, Change); 14] = [
        ("actor", |body| body.actor = "svc:".to_owned()),
        ("actor", |body| body.actor = "Mrs Canary".to_owned()),
        ("actor", |body| body.actor = "svc:a\u{0}".to_owned()),
        ("type", |body| body.kind.clear()),
        ("type", |body| body.kind = "a\tb".to_owned()),
        ("state", |body| body.state = "a\nb".to_owned()),
        ("copy", |body| body.copy = Some(0)),
        ("lseq", |body| body.lseq = u64::MAX),
        ("at", |body| body.at = Timestamp::from_millis(i64::MAX)),
        ("data", |body| body.data = Data::new().with("é", 1)),
        ("data", |body| body.data = Data::new().with("a\nb", 1)),
        ("data", |body| body.data = Data::new().with("a", "\u{1f}")),
        ("data", |body| {
            body.data = Data::new().with("a", INT_MAX + 1);
        }),
        ("data", |body| {
            body.data = Data::new().with("a", -INT_MAX - 1);
        }),
    ];
    for (expected, change) in cases {
        let mut body = body();
        change(&mut body);
        let error = body.to_canonical().unwrap_err();
        assert!(matches!(error, EventError::Unwritable { member, .. } if member == expected));
        assert!(!error.to_string().contains("Canary"));
    }
    let seq_max = u64::try_from(INT_MAX).unwrap();
    assert!(body().sequenced(seq_max, Hash::ZERO).to_canonical().is_ok());
    assert_eq!(
        body()
            .sequenced(seq_max + 1, Hash::ZERO)
            .to_canonical()
            .unwrap_err()
            .to_string(),
        "`seq` cannot stand in an event: an integer is past 2^53 - 1"
    );
}

#[test]
fn depth_limit() {
    let mut event = body().sequenced(0, Hash::ZERO);
    for depth in 1..=DATA_DEPTH_MAX {
        event.body.data = nested_exactly(depth);
        assert_eq!(Event::parse(text(&event).as_bytes()).as_ref(), Ok(&event));
    }
    event.body.data = nested_exactly(DATA_DEPTH_MAX + 1);
    assert!(matches!(
        event.to_canonical(),
        Err(EventError::Unwritable { member: "data", .. })
    ));
    let lists = format!(
        "{{\"a\":{}{}}}",
        "[".repeat(DATA_DEPTH_MAX),
        "]".repeat(DATA_DEPTH_MAX)
    );
    assert!(matches!(
        refused(&with_data(&lists)),
        EventError::NotCanonical { .. }
    ));
    let maps = "{\"a\":".repeat(DATA_DEPTH_MAX) + "{}" + &"}".repeat(DATA_DEPTH_MAX);
    assert!(matches!(
        refused(&with_data(&maps)),
        EventError::NotCanonical { .. }
    ));
}

/// Data of maps and lists by turns, of exactly that depth.
fn nested_exactly(depth: usize) -> Data {
    let mut data = Data::new();
    let mut reached = 1;
    while reached < depth {
        data = if reached + 2 <= depth && reached % 3 == 0 {
            reached += 2;
            Data::new().with("k", DataValue::List(vec![data.into()]))
        } else {
            reached += 1;
            Data::new().with("k", data)
        };
    }
    data
}

/// A body or event is filled to the limit of its bytes with one long text.
fn padded(bytes: usize) -> EventBody {
    let mut body = body();
    body.data = Data::new().with("pad", "");
    let empty = body.to_canonical().unwrap().len();
    body.data = Data::new().with("pad", "x".repeat(bytes - empty));
    body
}

#[test]
fn body_size_limit_leaves_room_for_any_position() {
    let largest = padded(BODY_BYTES_MAX);
    let bytes = largest.to_canonical().unwrap();
    assert_eq!(bytes.len(), BODY_BYTES_MAX);
    assert_eq!(EventBody::parse_body(&bytes).as_ref(), Ok(&largest));
    let last = largest.sequenced(u64::try_from(INT_MAX).unwrap(), Hash::ZERO);
    assert_eq!(last.to_canonical().unwrap().len(), EVENT_BYTES_MAX);

    let error = padded(BODY_BYTES_MAX + 1).to_canonical().unwrap_err();
    assert_eq!(
        error,
        EventError::TooLong {
            bytes: BODY_BYTES_MAX + 1,
            max: BODY_BYTES_MAX
        }
    );
    let longer = String::from_utf8(bytes).unwrap().replacen("xx", "xxx", 1);
    assert_eq!(EventBody::parse_body(longer.as_bytes()), Err(error));
}

#[test]
fn event_size_limit() {
    let position = r#""prev":"","seq":0,"#.len() + 64;
    let largest = padded(EVENT_BYTES_MAX - position);
    // A body of this size is refused by itself, but an event may use what a short `seq` leaves.
    let event = largest.sequenced(0, Hash::ZERO);
    let bytes = event.to_canonical().unwrap();
    assert_eq!(bytes.len(), EVENT_BYTES_MAX);
    assert_eq!(Event::parse(&bytes), Ok(event));
    let longer = String::from_utf8(bytes).unwrap().replacen("xx", "xxx", 1);
    assert_eq!(
        refused(&longer).to_string(),
        "event of 16385 bytes: at most 16384 are allowed"
    );
}

fn values() -> impl Strategy<Value = DataValue> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(DataValue::Bool),
        (-INT_MAX..=INT_MAX).prop_map(DataValue::Int),
        "[ -~é\u{7f}漢\u{10ffff}]{0,12}".prop_map(DataValue::Text),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(DataValue::List),
            proptest::collection::btree_map("[ -~]{0,4}", inner, 0..4)
                .prop_map(|map| DataValue::Map(map.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn events()(
        (id, stream, subject) in (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<Option<[u8; 16]>>()),
        at in -62_167_219_200_000..=253_402_300_799_999_i64,
        copy in proptest::option::of(1..=u32::MAX),
        (lseq, seq) in (0..=9_007_199_254_740_991_u64, 0..=9_007_199_254_740_991_u64),
        prev in any::<[u8; 32]>(),
        kind in "[ -~é]{1,12}",
        state in "[ -~é]{0,12}",
        actor in "(svc|user):[ -~é]{1,12}",
        data in proptest::collection::btree_map("[ -~]{0,8}", values(), 0..5),
    ) -> Event {
        EventBody {
            id: EventId::from_bytes(id),
            at: Timestamp::from_millis(at),
            stream: StreamKey::from_bytes(stream),
            copy,
            lseq,
            subject: subject.map(SubjectKey::from_bytes),
            kind,
            state,
            actor,
            data: data.into_iter().collect(),
        }
        .sequenced(seq, Hash::from_bytes(prev))
    }
}

/// Bytes that are nearly an event: a good one with a piece cut out, doubled or replaced.
fn near_events() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..4),
        "[{}\\[\\]\",:\\\\0-9a-z -]{0,4}".prop_map(String::into_bytes),
    ];
    (events(), any::<prop::sample::Index>(), 0..4_usize, piece).prop_map(
        |(event, at, cut, piece)| {
            let mut bytes = event.to_canonical().unwrap();
            let at = at.index(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, piece);
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_again(event in events()) {
        let bytes = event.to_canonical().unwrap();
        prop_assert_eq!(Event::parse(&bytes), Ok(event.clone()));
        let body = event.body.to_canonical().unwrap();
        prop_assert_eq!(EventBody::parse_body(&body), Ok(event.body));
    }

    #[test]
    fn canonical_bytes_are_sorted_json(event in events()) {
        let bytes = event.to_canonical().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        // serde_json keeps objects sorted and escapes only what must be; U+007F it leaves alone.
        prop_assert_eq!(serde_json::to_vec(&json).unwrap(), bytes);
    }

    #[test]
    fn what_is_accepted_is_the_only_form(bytes in near_events()) {
        let scanned = canonical::scan::<canonical::Skip>(&bytes, Form::Sequenced).is_ok();
        let tree = canonical::scan::<Tree>(&bytes, Form::Sequenced);
        prop_assert_eq!(scanned, tree.is_ok());
        if let Ok(tree) = tree {
            let (seq, prev) = (tree.seq, tree.prev);
            let event = tree.into_body().sequenced(seq, prev);
            prop_assert_eq!(event.to_canonical(), Ok(bytes));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        prop_assert!(Event::parse(&bytes).is_err());
        prop_assert!(EventBody::parse_body(&bytes).is_err());
    }
}
