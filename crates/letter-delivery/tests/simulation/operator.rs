//! The one on call: stops what is not to go on, and lets it go on.

use letter_delivery::testkit::{keys, ready};
use letter_delivery::{Actor, Engine, Reason, Scope, Stops, Store as _};
use nhs_types::OdsCode;

use crate::check::{Held, Violation};
use crate::plan::{CALM, MINUTE};
use crate::world::{Event, Process, World};

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
        let now = self.time();
        let set = by_hand(self.plan.seed, self.now).set_stop(now, &person(), stops, scope, why());
        // What is stopped already stays so.
        let Ok(commit) = set else { return Ok(()) };
        self.count("stops");
        self.write_by_hand(commit).map(drop)
    }

    fn lifts(&mut self, stops: &Stops, id: u32) -> Result<bool, Violation> {
        let now = self.time();
        let lift = by_hand(self.plan.seed, self.now).lift_stop(now, &person(), stops, id, why());
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
fn by_hand(seed: u64, now: i64) -> Engine {
    let dice = letter_delivery::testkit::SeededDice::new(seed).split(&format!("command at {now}"));
    Engine::new(keys(), letter_delivery::Policy::default(), Box::new(dice))
}

fn person() -> Actor {
    keys().account("unix:1001")
}

fn why() -> Reason {
    Reason::parse("test").expect("a code")
}
