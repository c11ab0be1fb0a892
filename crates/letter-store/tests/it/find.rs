//! Lists, searches, and that the files tell nothing to those without the key.

use std::collections::BTreeMap;

use audit_core::StreamKey;
use letter_delivery::{CopyState, RefKind, Scope, Store as _};
use letter_store::{LetterView, StatusFilter};

use crate::support::{Desk, NUMBERS};

const CANARY: &str = "Zebedee Canary has measles";
const DOCUMENT: &str = "DOC-CANARY-77";

#[tokio::test]
async fn letters_are_found_by_document_number_and_nhs_number() {
    let mut desk = Desk::new(1);
    desk.take(DOCUMENT, "first").await;
    desk.take("DOC-2", "second").await;
    let views = desk.store().letters(StatusFilter::default()).await.unwrap();
    let first = views
        .iter()
        .find(|view| {
            view.document
                .as_ref()
                .is_some_and(|d| d.expose() == DOCUMENT)
        })
        .unwrap();
    let index = desk.engine.keys().reference(RefKind::Document, DOCUMENT);
    let found = desk.store().find(RefKind::Document, index).await.unwrap();
    assert_eq!(found, [first.letter.key]);
    let mut of_both = 0;
    for number in NUMBERS {
        let index = desk.engine.keys().reference(RefKind::NhsNumber, number);
        let found = desk.store().find(RefKind::NhsNumber, index).await.unwrap();
        of_both += found.len();
        // An index is of its kind only.
        let other = desk.store().find(RefKind::Document, index).await.unwrap();
        assert!(other.is_empty());
    }
    assert_eq!(of_both, 2);
}

#[tokio::test]
async fn nothing_that_identifies_stands_in_the_files() {
    let mut desk = Desk::new(2);
    let text = format!("{CANARY} {}", NUMBERS[0]);
    desk.take(DOCUMENT, &text).await;
    desk.work_off().await;
    let view = desk.store().letters(StatusFilter::default()).await.unwrap();
    let letter = &view[0].letter;
    let content = desk.store().payload(letter.key, letter.content.unwrap());
    let content = String::from_utf8(content.await.unwrap()).unwrap();
    assert!(content.contains(CANARY), "it is there for those who may");
    desk.sign().await;
    let mut read = 0;
    for entry in std::fs::read_dir(desk.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        read += bytes.len();
        for secret in [
            CANARY,
            "Canary",
            DOCUMENT,
            NUMBERS[0],
            NUMBERS[1],
            "artefact for",
        ] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
        let hex = desk.key.to_hex();
        assert!(!String::from_utf8_lossy(&bytes).contains(hex.as_str()));
    }
    assert!(read > 50_000, "database, log and keys were looked at");
    let shown = format!("{view:?} {:?}", desk.store());
    for secret in [CANARY, DOCUMENT, NUMBERS[0], NUMBERS[1]] {
        assert!(!shown.contains(secret));
    }
}

#[tokio::test]
async fn a_list_shows_what_all_of_its_filter_asks_for() {
    let mut desk = Desk::new(21);
    desk.is_lucky = false;
    for number in 0..40 {
        desk.take(&format!("D-{number}"), &format!("text {number}"))
            .await;
    }
    desk.work_off().await;
    let all = desk.store().letters(StatusFilter::default()).await.unwrap();
    assert_eq!(all.len(), 40);
    let mut met = 0;
    for state in CopyState::ALL {
        for practice in [None, Some("A81001"), Some("A81002"), Some("A81003")] {
            for needs_person in [false, true] {
                let filter = StatusFilter {
                    letter: None,
                    state: Some(state.as_str().to_owned()),
                    practice: practice.map(str::to_owned),
                    needs_person,
                    ..StatusFilter::default()
                };
                let views = desk.store().letters(filter.clone()).await.unwrap();
                met += views.len();
                assert_eq!(shown(&views), due(&all, &filter), "{filter:?}");
            }
        }
    }
    assert!(met > 100);
}

/// The letters and copies that a list shows, by key.
fn shown(views: &[LetterView]) -> Vec<(StreamKey, Vec<StreamKey>)> {
    let keys = |view: &LetterView| view.copies.iter().map(|copy| copy.key).collect();
    views
        .iter()
        .map(|view| (view.letter.key, keys(view)))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .collect()
}

/// The same, found by looking at every letter.
fn due(all: &[LetterView], filter: &StatusFilter) -> Vec<(StreamKey, Vec<StreamKey>)> {
    let state = filter.state.as_deref().unwrap();
    let practice = filter.practice.as_deref();
    let mut due = BTreeMap::new();
    for view in all {
        let in_state = view.letter.state.as_str() == state;
        let mut copies = view.copies.clone();
        copies.retain(|copy| in_state || copy.state.as_str() == state);
        copies.retain(|copy| practice.is_none_or(|p| copy.address.practice.as_str() == p));
        copies.retain(|copy| !filter.needs_person || copy.needs_person());
        let alone = in_state && practice.is_none();
        let alone = alone && (!filter.needs_person || view.letter.needs_person());
        if alone || !copies.is_empty() {
            let keys = copies.iter().map(|copy| copy.key).collect();
            due.insert(view.letter.key, keys);
        }
    }
    due.into_iter().collect()
}

#[tokio::test]
async fn one_letter_is_shown_alone_and_the_oldest_first() {
    let mut desk = Desk::new(4);
    for number in [3, 1, 2] {
        desk.take(&format!("D-{number}"), &format!("text {number}"))
            .await;
        desk.now += chrono::Duration::minutes(1);
    }
    let all = desk.store().letters(StatusFilter::default()).await.unwrap();
    let times: Vec<_> = all.iter().map(|view| view.letter.taken_at).collect();
    assert!(times.is_sorted());
    let filter = StatusFilter {
        letter: Some(all[1].letter.key),
        ..StatusFilter::default()
    };
    let one = desk.store().letters(filter).await.unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].letter, all[1].letter);
}

/// What a list is limited to is the newest, and in the order of arrival all the same.
#[tokio::test]
async fn a_list_of_a_time_a_source_a_class_and_a_number_of_letters() {
    let mut desk = Desk::new(31);
    let begin = desk.now;
    for number in 0..6 {
        desk.take(&format!("D-{number}"), &format!("text {number}"))
            .await;
        desk.now += chrono::Duration::hours(1);
    }
    desk.work_off().await;
    let count = async |filter: StatusFilter| desk.store().letters(filter).await.unwrap();
    let at = |hours| Some(begin + chrono::Duration::hours(hours));
    let day = StatusFilter {
        taken_from: at(1),
        taken_before: at(3),
        ..StatusFilter::default()
    };
    assert_eq!(count(day.clone()).await.len(), 2);
    let newest = StatusFilter {
        limit: Some(2),
        ..StatusFilter::default()
    };
    let newest = count(newest).await;
    let times: Vec<_> = newest.iter().map(|view| view.letter.taken_at).collect();
    assert_eq!(times, [at(4).unwrap(), at(5).unwrap()]);
    let scope = |source: &str, class: Option<&str>| {
        let mut scope = Scope::default();
        scope.source = Some(source.to_owned());
        scope.class = class.map(str::to_owned);
        StatusFilter {
            scope,
            ..StatusFilter::default()
        }
    };
    assert_eq!(count(scope("epr", None)).await.len(), 6);
    assert_eq!(count(scope("another", None)).await.len(), 0);
    assert_eq!(count(scope("epr", Some("unknown"))).await.len(), 6);
    assert_eq!(
        count(scope("epr", Some("discharge-summary"))).await.len(),
        0
    );
    let mut profile = Scope::default();
    profile.profile = Some("emis".to_owned());
    let shaped = StatusFilter {
        scope: profile,
        ..day
    };
    assert_eq!(count(shaped.clone()).await.len(), 2);
    let mut other = shaped;
    other.scope.profile = Some("tpp".to_owned());
    assert_eq!(count(other).await.len(), 0);
}

#[tokio::test]
async fn a_letter_whose_key_was_destroyed_is_listed_without_its_number() {
    let mut desk = Desk::new(5);
    desk.take(DOCUMENT, "first").await;
    desk.take("DOC-2", "second").await;
    let all = desk.store().letters(StatusFilter::default()).await.unwrap();
    let gone = all[0].letter.key;
    let keys = rusqlite::Connection::open(desk.folder.path().join("rxx.keys.db")).unwrap();
    let deleted = keys.execute("DELETE FROM data_key WHERE letter = ?1", [gone.as_bytes()]);
    assert_eq!(deleted.unwrap(), 1);
    let now = desk.store().letters(StatusFilter::default()).await.unwrap();
    assert!(now[0].document.is_none());
    assert!(now[1].document.is_some());
}
