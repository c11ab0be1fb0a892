//! Routing, lookups and shaping: doubt holds, and says why.

use letter_delivery::{CopyState, LetterState, Policy};
use letter_shape::ReceiverProfile;
use mesh_testserver::{Fault, FaultAction};

use crate::support::letters::{Message, report, report_for};
use crate::support::{PRACTICE, World, trust};

const LOOKUP: &str = "*/endpointlookup/*";

impl World {
    fn lookups(&self) -> usize {
        let log = self.server.log();
        log.iter()
            .filter(|request| request.path.contains("endpointlookup"))
            .count()
    }

    async fn take_and_work(&self, name: &str, letter: impl AsRef<[u8]>) {
        self.hand_over(name, letter);
        assert_eq!(self.scan().await.taken, 1);
        self.work().await;
    }

    fn reasons(&self) -> Vec<Option<String>> {
        self.letters()
            .into_iter()
            .map(|letter| letter.reason)
            .collect()
    }
}

fn reason(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn gp_routing_16_a_lookup_is_asked_once_a_day_and_without_an_answer_once_an_hour() {
    let world = World::new().await;
    world.take_and_work("a.txt", report("D-1", "One")).await;
    world.take_and_work("b.txt", report("D-2", "Two")).await;
    assert_eq!((world.lookups(), world.received(PRACTICE).len()), (1, 2));
    world.later(24 * 60);
    world.take_and_work("c.txt", report("D-3", "Three")).await;
    assert_eq!(world.lookups(), 2);

    let nobody = "THE BRIDGE SURGERY (Y99902)";
    world
        .take_and_work("d.txt", report_for("D-4", "Four", nobody))
        .await;
    world.later(59);
    world
        .take_and_work("e.txt", report_for("D-5", "Five", nobody))
        .await;
    assert_eq!(world.lookups(), 3);
    world.later(1);
    world
        .take_and_work("f.txt", report_for("D-6", "Six", nobody))
        .await;
    assert_eq!(world.lookups(), 4);
}

#[tokio::test]
async fn design_9_a_lookup_that_fails_is_tried_again_within_the_due_time_then_held() {
    let world = World::new().await;
    world
        .server
        .fault(Fault::new("GET", LOOKUP, FaultAction::status(503)).always());
    world.take_and_work("a.txt", report("D-1", "Rest")).await;
    assert_eq!(world.letter().state, LetterState::Parsed);
    let due = world.letter().due_at.unwrap();
    for minutes in [1, 60, 24 * 60] {
        world.later(minutes);
        world.work().await;
        assert_eq!(world.letter().state, LetterState::Parsed);
    }
    assert_eq!(due.to_rfc3339(), "2026-11-25T00:00:00+00:00");
    world.later(3 * 24 * 60);
    world.work().await;
    assert_eq!(world.letter().state, LetterState::Held);
    assert_eq!(world.reasons(), [reason("MESH_LOOKUP_FAILED")]);
    world.check();
}

#[tokio::test]
async fn design_9_a_lookup_that_answers_again_lets_the_letter_go() {
    let world = World::new().await;
    world
        .server
        .fault(Fault::new("GET", LOOKUP, FaultAction::status(503)));
    world.take_and_work("a.txt", report("D-1", "Rest")).await;
    assert_eq!(world.received(PRACTICE).len(), 0);
    world.later(1);
    world.work().await;
    assert_eq!(world.received(PRACTICE).len(), 1);
}

#[tokio::test]
async fn design_5_a_practice_without_a_mailbox_is_no_guess() {
    let world = World::new().await;
    world
        .take_and_work(
            "a.txt",
            report_for("D-1", "Rest", "THE BRIDGE SURGERY (Y99902)"),
        )
        .await;
    assert_eq!(world.letter().state, LetterState::Held);
    assert_eq!(world.copies().len(), 0);
}

#[tokio::test]
async fn gp_routing_r2c_a_sensitive_specialty_needs_consent() {
    let world = World::new().await;
    let mut message = Message::new("D-1", "Rest");
    message.specialty = "360";
    world.take_and_work("a.hl7", message.bytes()).await;
    assert_eq!(world.letter().state, LetterState::Held);
    assert_eq!(world.reasons(), [reason("SENSITIVE_NEEDS_DECISION")]);
}

#[tokio::test]
async fn a_profile_that_nobody_configured_holds_the_letter() {
    let mut trust = trust();
    trust.profiles.remove("emis");
    let world = World::with(trust, Policy::default()).await;
    world.take_and_work("a.txt", report("D-1", "Rest")).await;
    assert_eq!(world.letter().state, LetterState::Held);
    assert_eq!(world.reasons(), [reason("profile-unknown")]);
}

#[tokio::test]
async fn what_the_format_refuses_is_held_with_the_id_of_the_rule() {
    let mut trust = trust();
    let mut profile = ReceiverProfile::builtin("emis").unwrap();
    profile.artefact_max_bytes = 100;
    trust.profiles.insert("emis".to_owned(), profile);
    let world = World::with(trust, Policy::default()).await;
    world.take_and_work("a.txt", report("D-1", "Rest")).await;
    let copy = world.copy();
    assert_eq!(
        (copy.state, copy.reason),
        (CopyState::Held, reason("SHAPE-SIZE"))
    );
    assert_eq!(world.received(PRACTICE).len(), 0);
    world.check();
}

#[tokio::test]
async fn only_the_letters_of_a_live_trust_are_marked_as_real() {
    for (live, status) in [(true, "Live"), (false, "Test")] {
        let mut trust = trust();
        trust.live = live;
        let world = World::with(trust, Policy::default()).await;
        world.take_and_work("a.txt", report("D-1", "Rest")).await;
        let body = String::from_utf8(world.received(PRACTICE)[0].body()).unwrap();
        let marked = format!("MsgStatus=\"{status}\"");
        assert!(body.contains(&marked), "{body}");
    }
}

#[tokio::test]
async fn a_letter_whose_source_names_no_practice_is_held() {
    let world = World::new().await;
    let mut message = Message::new("D-1", "Rest");
    message.practice = "";
    world.hand_over("a.hl7", message.bytes());
    assert_eq!(world.scan().await.held, 1);
    assert_eq!(world.reasons(), [reason("no-gp-practice")]);
}
