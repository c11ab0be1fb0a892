//! People decide while letters are on their way: where they go, and that they stop.

use letter_delivery::{
    ClosesOn, CopyState, Decision, Engine, LetterState, Policy, Reason, Reroute, Scope, Store as _,
    StoreError, Verdict,
};
use letter_gateway::SystemEntropy;

use crate::support::letters::{report, report_for};
use crate::support::{PRACTICE, World, keys, mailbox, ods, trust};

/// The engine of another process: a command that a person runs.
fn desk() -> Engine {
    Engine::new(
        keys(),
        Policy::default(),
        Box::new(SystemEntropy::default()),
    )
}

fn source(name: &str) -> Scope {
    let mut scope = Scope::default();
    scope.source = Some(name.to_owned());
    scope
}

impl World {
    async fn decides(&self, decision: Decision) {
        let mut desk = desk();
        let by = desk.keys().account("unix:1001");
        let verdict = Verdict::new(decision, by, Reason::parse("because").unwrap());
        let now = self.now();
        let decided = desk.decide(now, &verdict, self.letter(), self.copies());
        self.store.commit(decided.unwrap().commit).await.unwrap();
    }

    async fn stop(&self, scope: Scope) {
        let mut desk = desk();
        let by = desk.keys().account("unix:1001");
        let stops = self.store.stops().await.unwrap();
        let reason = Reason::parse("because").unwrap();
        let now = self.now();
        let commit = desk.set_stop(now, &by, &stops, scope, reason).unwrap();
        self.store.commit(commit).await.unwrap();
    }

    async fn lift(&self, id: u32) {
        let mut desk = desk();
        let by = desk.keys().account("unix:1001");
        let stops = self.store.stops().await.unwrap();
        let reason = Reason::parse("over").unwrap();
        let now = self.now();
        let commit = desk.lift_stop(now, &by, &stops, id, reason).unwrap();
        self.store.commit(commit).await.unwrap();
    }
}

#[tokio::test]
async fn a_letter_without_a_mailbox_goes_where_a_person_says() {
    let world = World::new().await;
    let nobody = report_for("D-1", "Rest", "THE BRIDGE SURGERY (Y99902)");
    world.hand_over("a.txt", nobody);
    world.scan().await;
    world.work().await;
    assert_eq!(world.letter().state, LetterState::Held);
    world
        .decides(Decision::Reroute(Reroute::to(ods("Y99901"))))
        .await;
    world.work().await;
    assert_eq!(world.received(PRACTICE).len(), 1);
    assert_eq!(world.copy().address.practice, ods("Y99901"));
    world.check();
}

#[tokio::test]
async fn a_mailbox_that_a_person_names_is_not_looked_up() {
    let world = World::new().await;
    let nobody = report_for("D-1", "Rest", "THE BRIDGE SURGERY (Y99902)");
    world.hand_over("a.txt", nobody);
    world.scan().await;
    world.work().await;
    let to = Reroute::to(ods("Y99902")).by(mailbox(PRACTICE));
    world.decides(Decision::Reroute(to)).await;
    world.work().await;
    assert_eq!(world.received(PRACTICE).len(), 1);
    assert_eq!(world.copy().address.mailbox, mailbox(PRACTICE));
    world.check();
}

#[tokio::test]
async fn a_copy_that_the_practice_refused_is_shaped_anew_for_another() {
    let world = World::new().await;
    world.hand_over("a.txt", report("D-1", "Rest"));
    world.scan().await;
    world.work().await;
    world
        .decides(Decision::Rejected {
            not_our_patient: true,
        })
        .await;
    let to = Reroute::to(ods("Y99902")).by(mailbox(PRACTICE));
    world.decides(Decision::Reroute(to)).await;
    world.work().await;
    let copy = world.copy();
    assert_eq!((copy.state, copy.series), (CopyState::Accepted, 2));
    assert_eq!(copy.address.practice, ods("Y99902"));
    assert_eq!(world.received(PRACTICE).len(), 2);
    let rules = copy.rules.join(", ");
    assert!(
        rules.starts_with("gp-routing ") && rules.contains("proof "),
        "{rules}"
    );
    world.check();
}

/// Facts 3.3: what closes a copy is what its profile promises.
#[tokio::test]
async fn audit_3_3_a_profile_that_promises_an_acknowledgement_keeps_the_copy_open() {
    let mut trust = trust();
    trust
        .promises
        .insert("emis".to_owned(), ClosesOn::Acknowledged);
    let world = World::with(trust, Policy::default()).await;
    world.hand_over("a.txt", report("D-1", "Rest"));
    world.scan().await;
    world.work().await;
    assert_eq!(world.copy().address.closes_on, ClosesOn::Acknowledged);
}

#[tokio::test]
async fn design_5_rule_9_what_is_stopped_waits_and_goes_on_when_the_stop_is_lifted() {
    let world = World::new().await;
    world.stop(source("epr")).await;
    world.hand_over("a.txt", report("D-1", "Rest"));
    assert_eq!(world.scan().await.taken, 1, "intake goes on");
    world.work().await;
    let copy = world.copy();
    assert_eq!((copy.state, copy.attempts), (CopyState::Queued, 0));
    world.later(10);
    assert_eq!(
        world.work().await.claimed,
        0,
        "it is not looked at again and again"
    );
    world.lift(1).await;
    world.work().await;
    assert_eq!(world.received(PRACTICE).len(), 1);
    world.check();
}

#[tokio::test]
async fn design_5_rule_9_a_stop_of_another_source_holds_nothing_back() {
    let world = World::new().await;
    world.stop(source("another")).await;
    world.hand_over("a.txt", report("D-1", "Rest"));
    world.scan().await;
    world.work().await;
    assert_eq!(world.received(PRACTICE).len(), 1);
}

/// Two commands at the same time: the slower decides anew.
#[tokio::test]
async fn a_decision_on_what_moved_on_is_a_conflict() {
    let world = World::new().await;
    world.hand_over(
        "a.txt",
        report_for("D-1", "Rest", "THE BRIDGE SURGERY (Y99902)"),
    );
    world.scan().await;
    world.work().await;
    let mut desk = desk();
    let by = desk.keys().account("unix:1001");
    let (letter, copies) = (world.letter(), world.copies());
    world.decides(Decision::Suppress).await;
    let verdict = Verdict::new(Decision::Approve, by, Reason::parse("because").unwrap());
    let decided = desk.decide(world.now(), &verdict, letter, copies).unwrap();
    let late = world.store.commit(decided.commit).await;
    assert!(matches!(late, Err(StoreError::Conflict)));
}
