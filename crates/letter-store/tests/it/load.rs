//! How much waits, for gauges and alarms.

use letter_delivery::{Disposition, Store as _, WorkKind};

use crate::support::Desk;

#[tokio::test]
async fn an_empty_store_has_no_load() {
    let desk = Desk::new(1);
    let load = desk.store().load().await.unwrap();
    assert!(load.waiting.is_empty());
    assert_eq!((load.needs_person, load.oldest_duty), (0, None));
    assert_eq!((load.events, load.signed), (0, 0));
}

#[tokio::test]
async fn load_counts_waiting_work_people_and_unsigned_events() {
    let mut desk = Desk::new(2);
    for document in ["DOC-1", "DOC-2", "DOC-3"] {
        desk.take(document, document).await;
    }
    let mut held = desk.intake("DOC-4", "unclear");
    held.disposition = Disposition::Hold;
    let taken = desk.engine.intake(desk.now, held, None, None);
    desk.store().commit(taken.commit).await.unwrap();

    let load = desk.store().load().await.unwrap();
    let waiting: Vec<_> = load.waiting.iter().map(|w| (w.kind, w.pieces)).collect();
    assert_eq!(waiting, [(WorkKind::Prepare, 3)]);
    assert_eq!(load.waiting[0].oldest_due, desk.now);
    assert_eq!(load.needs_person, 1);
    assert_eq!(
        load.oldest_duty,
        Some(desk.now + chrono::Duration::hours(4))
    );
    assert!(load.events > 0);
    assert_eq!(load.signed, 0);

    desk.work_off().await;
    desk.sign().await;
    let load = desk.store().load().await.unwrap();
    let waiting: Vec<_> = load.waiting.iter().map(|w| (w.kind, w.pieces)).collect();
    assert_eq!(waiting, [(WorkKind::Track, 3)], "sent, and followed up");
    assert_eq!(load.signed, load.events);
}
