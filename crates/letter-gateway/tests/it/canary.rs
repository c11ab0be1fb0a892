//! Design rule 12: over a whole delivery, at trace level, nothing shows a patient.

use std::io;
use std::sync::{Arc, Mutex};

use mesh_testserver::{Fault, FaultAction, ReportNotice};
use tracing_subscriber::fmt::MakeWriter;

use crate::mllp::Line;
use crate::support::letters::{Message, PDF_MESSAGE, WORD, draft, report};
use crate::support::{PRACTICE, TRUST, World, mailbox};
use letter_delivery::testkit::Trouble;

/// What the patients of these letters are known by, and words of their letters.
const SECRETS: &[&str] = &[
    "9990012377",
    "999 001 2377",
    "9990581398",
    "9990606137",
    "ashworth",
    "margaret",
    "ashby",
    "rahman",
    "ayesha",
    "07/03/1951",
    "1951-03-07",
    "19620202",
    "1962-02-02",
    "mill lane",
    "nm1 4zz",
    "rxx100037",
    "arthritis",
    "methotrexate",
    "canary plan",
    "canary file",
    "canary-number",
];

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

fn assert_silent(shown: &str) {
    let shown = shown.to_lowercase();
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} is shown in:\n{shown}");
    }
}

/// Everything that is said goes through one subscriber: its own process, by the test runner.
fn capture() -> Captured {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    // A second test in the same process shares the first one's subscriber and captures nothing.
    let _ = tracing::subscriber::set_global_default(subscriber);
    captured
}

async fn hand_over_all(world: &World) {
    let plan = "Canary plan: continue Methotrexate";
    world.hand_over("Canary file ASHWORTH.txt", report("CANARY-NUMBER-1", plan));
    world.hand_over("Canary file 2.txt", draft("CANARY-NUMBER-2"));
    world.hand_over("Canary file 3.docx", WORD);
    world.hand_over("Canary file 4.hl7", PDF_MESSAGE);
    world.hand_over("Canary file 5.txt", "");
    world.hand_over("Canary file 6.txt", report("CANARY-NUMBER-6", plan));
    world.hand_over(
        "Canary file 6.json",
        r#"{"patient":{"nhs_number":9990012377}}"#,
    );
    world.hand_over("Canary file 7.docx", b"PK\x03\x04 ASHWORTH");
    let line = Line::open(world).await;
    let mut message = Message::new("CANARY-NUMBER-8", plan);
    line.tell(&message.bytes()).await;
    message.nhs_number = "9990581399";
    line.tell(&message.bytes()).await;
    line.tell(b"no HL7: ASHWORTH").await;
    world.store.set(Trouble::Unavailable);
    line.tell(&message.bytes()).await;
    world.store.set(Trouble::None);
}

#[tokio::test]
async fn rule_12_a_whole_delivery_with_its_faults_shows_no_patient() {
    let captured = capture();
    let world = World::new().await;
    hand_over_all(&world).await;
    let echo = "refused: ASHWORTH 9990012377, canary plan";
    let answers = [
        FaultAction::DropAfter,
        FaultAction::status_with_body(503, echo),
        FaultAction::status_with_body(417, echo),
    ];
    for answer in answers {
        world.server.fault(Fault::new("POST", "*/outbox", answer));
    }
    let mut shown = format!("{:?}\n", world.run_once().await);
    world.server.collect(&mailbox(PRACTICE));
    world
        .server
        .report(&mailbox(TRUST), ReportNotice::new("14", echo));
    for _ in 0..4 {
        world.later(20);
        shown.push_str(&format!("{:?}\n", world.run_once().await));
    }
    std::fs::remove_dir_all(world.path("in")).unwrap();
    let error = world.gateway.run_once(&world.run()).await.unwrap_err();
    shown.push_str(&format!("{error} {error:?} {:?}\n", world.gateway));
    let logged = captured.text();
    assert!(
        logged.contains("a document was taken"),
        "the log is captured"
    );
    assert!(logged.contains("a send did not succeed"), "faults, too");
    assert!(
        logged.contains("TRACE") || logged.contains("DEBUG"),
        "down to the lowest level"
    );
    assert_silent(&logged);
    assert_silent(&shown);
    let rows = world.store.rows();
    let ledger: Vec<_> = rows
        .events
        .iter()
        .map(|event| event.canonical.clone())
        .collect();
    assert!(ledger.len() > 20);
    for event in ledger {
        assert_silent(&String::from_utf8_lossy(event.as_ref()));
    }
}

#[tokio::test]
async fn rule_12_receipts_and_their_debug_show_no_patient() {
    let world = World::new().await;
    let letters = [
        report("CANARY-NUMBER-1", "Canary plan"),
        draft("CANARY-NUMBER-2"),
    ];
    for letter in letters {
        let taken = world.gateway.take(
            "epr",
            letter.into_bytes(),
            None,
            letter_gateway::OnReject::Hold,
        );
        assert_silent(&format!("{:?}", taken.await.unwrap()));
    }
}

#[tokio::test]
async fn rule_12_what_mesh_is_told_beside_the_letter_shows_no_patient() {
    let world = World::new().await;
    hand_over_all(&world).await;
    world.run_once().await;
    assert!(world.received(PRACTICE).len() > 1);
    for request in world.server.log() {
        assert_silent(&format!("{} {:?}", request.path, request.headers));
    }
    for message in world.received(PRACTICE) {
        assert_eq!((message.subject, message.file_name), (None, None));
    }
}
