//! Those on call: they stop what is not to go on and let it go on again, and decide about letters
//! one by one.

use audit_core::StreamKey;
use letter_delivery::testkit::{SeededDice, keys, ready};
use letter_delivery::{
    Actor, CopyRecord, Decision, DecisionKind, Engine, Heard, LetterRecord, Reason, Reroute, Scope,
    Stops, Store as _, Verdict,
};
use nhs_types::OdsCode;

use crate::check::{Held, Violation};
use crate::plan::{CALM, MINUTE, Plan, SECOND};
use crate::world::{Case, Event, Process, World};

impl World {
    /// Does something every few minutes; when all is calm nothing is stopped any more.
    pub(crate) fn operates(&mut self) -> Held {
        let stops = ready(self.store.stops()).expect("the model reads");
        if self.now >= CALM {
            return self.lifts_all(&stops);
        }
        if self.dice.chance(self.plan.rates.operator) {
            self.stops_or_lifts(&stops)?;
        }
        for _ in 0..4 {
            if self.dice.chance(self.plan.rates.operator) {
                self.reads_a_letter();
            }
        }
        let pause = self.between(MINUTE, 10 * MINUTE);
        let next = (self.now + pause).min(CALM);
        self.at(next, Event::Operator);
        Ok(())
    }

    fn stops_or_lifts(&mut self, stops: &Stops) -> Held {
        let oldest = stops.standing().next().map(|stop| stop.id);
        match oldest {
            Some(id) if self.dice.chance(600) => self.lifts(stops, id).map(drop),
            _ => self.stops(stops),
        }
    }

    fn stops(&mut self, stops: &Stops) -> Held {
        let mut scope = Scope::default();
        match self.dice.below(4) {
            0 => {}
            1 => scope.class = Some("outpatient-letter".to_owned()),
            2 => scope.profile = Some("edt-html".to_owned()),
            _ => scope.practice = OdsCode::parse("A81001").ok(),
        }
        let now = self.wall();
        let set = by_hand(&self.plan, self.now).set_stop(now, &person(), stops, scope, why());
        // What is stopped already stays so.
        let Ok(commit) = set else { return Ok(()) };
        self.count("stops");
        self.write_by_hand(commit).map(drop)
    }

    fn lifts(&mut self, stops: &Stops, id: u32) -> Result<bool, Violation> {
        let now = self.wall();
        let lift = by_hand(&self.plan, self.now).lift_stop(now, &person(), stops, id, why());
        self.write_by_hand(lift.expect("it stands"))
    }

    fn lifts_all(&mut self, stops: &Stops) -> Held {
        let Some(stop) = stops.standing().next() else {
            return Ok(());
        };
        self.lifts(stops, stop.id)?;
        self.after(1, Event::Operator);
        Ok(())
    }

    /// A person looks at some letter, one that needs a person first, and makes up their mind.
    fn reads_a_letter(&mut self) {
        let rows = self.store.rows();
        let urgent: Vec<StreamKey> = {
            let copies = rows.copies.values().filter(|copy| copy.needs_person());
            let letters = rows.letters.values().filter(|letter| letter.needs_person());
            let letters = letters.map(|letter| letter.key);
            copies.map(|copy| copy.letter).chain(letters).collect()
        };
        let all: Vec<StreamKey> = rows.letters.keys().copied().collect();
        drop(rows);
        let list = if urgent.is_empty() || self.dice.chance(300) {
            all
        } else {
            urgent
        };
        if list.is_empty() {
            return;
        }
        let key = list[self.dice.below(list.len())];
        let (letter, copies) = self.read(key);
        let mut kinds = letter.decisions();
        let copy = copies.get(self.dice.below(copies.len().max(1)));
        kinds.extend(copy.iter().flat_map(|copy| copy.decisions()));
        if kinds.is_empty() {
            return;
        }
        let kind = kinds[self.dice.below(kinds.len())];
        let about = copy.filter(|copy| copy.decisions().contains(&kind));
        let about = about.map(|copy| copy.number);
        let person = if self.dice.chance(500) {
            "unix:1001"
        } else {
            "unix:1002"
        };
        let person = keys().account(person);
        let verdict = Verdict::new(self.decision(kind), person, why()).about(about);
        let pause = self.between(1, 3 * SECOND);
        let case = Case {
            letter,
            copies,
            verdict,
            tries: 0,
        };
        self.after(pause, Event::Decides(Box::new(case)));
    }

    fn decision(&mut self, kind: DecisionKind) -> Decision {
        match kind {
            DecisionKind::Approve => Decision::Approve,
            DecisionKind::Resend => Decision::Resend,
            DecisionKind::Reroute => {
                Decision::Reroute(Reroute::to(OdsCode::parse("A81002").expect("a code")))
            }
            DecisionKind::Suppress => Decision::Suppress,
            DecisionKind::Withdraw => Decision::Withdraw,
            DecisionKind::Rejected => Decision::Rejected {
                not_our_patient: self.dice.chance(500),
            },
            DecisionKind::Telephoned => match self.dice.below(3) {
                0 => Decision::Telephoned(Heard::Received),
                1 => Decision::Telephoned(Heard::Filed),
                _ => Decision::Telephoned(Heard::Told),
            },
            DecisionKind::Resolve => Decision::Resolve,
        }
    }

    fn read(&self, letter: StreamKey) -> (LetterRecord, Vec<CopyRecord>) {
        let rows = self.store.rows();
        (rows.letters[&letter].clone(), rows.copies_of(letter))
    }

    pub(crate) fn decides_case(&mut self, case: Case) -> Held {
        let Case {
            letter,
            copies,
            verdict,
            tries,
        } = case;
        let key = letter.key;
        let mut engine = by_hand(&self.plan, self.now);
        let decided = engine.decide(self.wall(), &verdict, letter, copies);
        // It moved on, and does not allow that any more.
        let Ok(decided) = decided else { return Ok(()) };
        self.count(verdict.decision.kind().as_str());
        if !self.write_by_hand(decided.commit)? && tries < 3 {
            let (letter, copies) = self.read(key);
            let case = Case {
                letter,
                copies,
                verdict,
                tries: tries + 1,
            };
            self.after(1, Event::Decides(Box::new(case)));
        }
        Ok(())
    }

    /// A command is a process of its own: it holds no lease, and dies for itself.
    fn write_by_hand(&mut self, commit: letter_delivery::Commit) -> Result<bool, Violation> {
        let command = Process {
            worker: usize::MAX,
            life: 0,
        };
        Ok(self.write(command, None, commit)? == crate::world::Written::Yes)
    }
}

/// The engine of a command that is run once.
fn by_hand(plan: &Plan, now: i64) -> Engine {
    let dice = SeededDice::new(plan.seed).split(&format!("command at {now}"));
    Engine::new(keys(), plan.policy.clone(), Box::new(dice))
}

fn person() -> Actor {
    keys().account("unix:1001")
}

fn why() -> Reason {
    Reason::parse("test").expect("a code")
}
