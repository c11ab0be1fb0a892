use super::*;

use audit_core::PseudonymKey;
use gp_routing::{PracticeTable, SAMPLE_TABLE, TableLimits};
use letter_delivery::testkit::ModelStore;
use letter_delivery::{Engine, Policy, TrustKeys};
use mesh_testserver::TestServer;
use nhs_types::{MailboxId, OdsCode};

use crate::{Mesh, SystemClock, SystemEntropy, Trust};

async fn gateway() -> Gateway<ModelStore> {
    let server = TestServer::start().await.unwrap();
    let client = server
        .client(&MailboxId::parse("RT9OT001").unwrap())
        .unwrap();
    let table = PracticeTable::read(SAMPLE_TABLE.as_bytes(), &TableLimits::at_least(1)).unwrap();
    let code = OdsCode::parse("RT9").unwrap();
    let key = |byte| PseudonymKey::new([byte; 32]);
    let keys = TrustKeys::new(code.clone(), key(1), key(2), key(3));
    let engine = Engine::new(keys, Policy::default(), Box::new(SystemEntropy::default()));
    let trust = Trust::new(code, "Test Trust", table);
    Gateway::new(
        trust,
        Arc::default(),
        engine,
        Mesh::new(client),
        Arc::new(SystemClock),
    )
}

const MLLP: HandOver<'_> = HandOver {
    once: None,
    single: false,
    source: "epr",
    on_reject: OnReject::Refuse,
    origin: "",
    lane: Lane::Today,
};

#[tokio::test]
async fn what_breaks_a_reader_is_kept_and_held_once_and_its_source_may_be_told() {
    let gateway = gateway().await;
    for expected in [TakenAs::Letter(LetterState::Held), TakenAs::Duplicate] {
        let receipts = gateway.keep_unread(MLLP, b"poison", None).await.unwrap();
        assert_eq!(receipts[0].taken, Some(expected));
        assert_eq!(receipts[0].disposition, Disposition::Hold);
    }
    let rows = gateway.store.rows();
    let reasons: Vec<_> = rows
        .letters
        .values()
        .map(|letter| letter.reason.clone())
        .collect();
    assert_eq!(reasons, [Some(READER_FAILED.to_owned())]);
    let kept: Vec<_> = rows
        .payloads
        .values()
        .map(|row| row.bytes.clone())
        .collect();
    assert_eq!(kept, [b"poison"]);
}

#[tokio::test]
async fn what_breaks_a_reader_is_held_under_the_number_of_its_sidecar() {
    let gateway = gateway().await;
    let number = Some("W-0001".to_owned());
    gateway.keep_unread(MLLP, b"poison", number).await.unwrap();
    let key = gateway.decide(|engine| engine.keys().document("epr", "W-0001"));
    assert!(gateway.store.document(key).await.unwrap().is_some());
}

#[test]
fn gp_routing_11_a_day_counts_from_its_start_in_london() {
    let summer = chrono::NaiveDate::from_ymd_opt(2026, 7, 1);
    let start = event_at(None, summer, None).unwrap();
    assert_eq!(start.to_rfc3339(), "2026-06-30T23:00:00+00:00");
    let given = Some(DateTime::<Utc>::UNIX_EPOCH);
    assert_eq!(event_at(given, summer, None), given);
    assert_eq!(event_at(None, None, given), given);
    assert_eq!(event_at(None, None, None), None);
}

#[test]
fn gp_routing_11_each_kind_has_its_due_rule() {
    let kinds = [
        (Some(DocumentKind::DischargeSummary), LetterKind::Discharge),
        (Some(DocumentKind::EdAttendance), LetterKind::Emergency),
        (Some(DocumentKind::OutpatientLetter), LetterKind::Outpatient),
        (Some(DocumentKind::HospitalLetter), LetterKind::Other),
        (None, LetterKind::Unknown),
    ];
    for (kind, expected) in kinds {
        assert_eq!(letter_kind(kind.as_ref()), expected);
    }
}
