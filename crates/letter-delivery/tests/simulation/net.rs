//! What happens between a worker and MESH, and at the practice.

use chrono::Duration;
use letter_delivery::testkit::ready;
use letter_delivery::{
    Acknowledgement, AskResult, Claimed, CopyEvent, CopyRecord, CopyState, LocalId, Report, Saying,
    SeenMessage, SendResult, Store as _, TrackResult,
};

use crate::bug::Bug;
use crate::check::{Held, broken, rule};
use crate::mesh::{Fate, ReportOf, UNCOLLECTED};
use crate::plan::{CALM, HOUR, MINUTE, SECOND};
use crate::worker::Outcome;
use crate::world::{Event, Process, World, Written};

pub(crate) const MAILBOX: &str = "RZZOT001";
/// How long a program waits for an answer.
const TIMEOUT: i64 = 30 * SECOND;
/// How long a message may be on its way, and how late a question by local id may find it: both
/// within the time after which "not there" is believed.
const ON_ITS_WAY: i64 = 20 * SECOND;
const APPEARS: i64 = 4 * MINUTE;

impl World {
    /// The first byte of an attempt leaves.
    pub(crate) fn leaves(&mut self, at: Process, claimed: Claimed, bytes: &[u8]) -> Held {
        let Some(copy) = claimed.copy.clone() else {
            return broken(rule::CONTENT, || "a send without a copy".to_owned());
        };
        let local_id = if self.has(Bug::LocalIdReused) {
            LocalId::of(copy.letter, 1, 1)
        } else {
            copy.local_id.clone()
        };
        let local_id = local_id.as_str().to_owned();
        if self.mesh.is_down(self.now) || self.fault(self.plan.rates.unreachable) {
            self.count("unreachable");
            self.check
                .leaves(&claimed.letter, &copy, &local_id, bytes)?;
            self.sent(at, claimed, SECOND, not_reached());
            return Ok(());
        }
        self.check
            .leaves(&claimed.letter, &copy, &local_id, bytes)?;
        self.reaches(at, claimed, local_id);
        Ok(())
    }

    fn sent(&mut self, at: Process, claimed: Claimed, pause: i64, result: SendResult) {
        let result = crate::bugs::misread(self, result);
        self.answers(pause, at, claimed, Outcome::Sent(result));
    }

    fn reaches(&mut self, at: Process, claimed: Claimed, local_id: String) {
        let rates = self.plan.rates;
        let pause = self.between(20, 2 * SECOND);
        let code = |code: &str| code.to_owned();
        let unknown = |word: &str| SendResult::Unknown { code: code(word) };
        if self.fault(rates.request_lost) {
            self.count("requests lost");
            self.sent(at, claimed, TIMEOUT, unknown("answer-lost"));
        } else if self.fault(rates.answer_lost) {
            self.count("answers lost");
            self.accepts(&local_id, ON_ITS_WAY);
            let pause = if self.dice.chance(500) {
                TIMEOUT
            } else {
                pause
            };
            self.sent(at, claimed, pause, unknown("answer-lost"));
        } else if self.fault(rates.server_error) {
            self.count("server errors");
            if self.dice.chance(500) {
                self.accepts(&local_id, SECOND);
            }
            let word = if self.dice.chance(500) {
                "http-500"
            } else {
                "http-503"
            };
            self.sent(at, claimed, pause, unknown(word));
        } else if self.fault(rates.throttled) {
            self.count("throttled");
            self.check.answered_with_failure(&local_id);
            let after = Some(Duration::seconds(self.between(1, 90)));
            let code = code("http-429");
            let unreachable = false;
            let result = SendResult::Retry {
                after,
                code,
                unreachable,
            };
            self.sent(at, claimed, pause, result);
        } else if self.fault(rates.refused) {
            self.count("refused");
            let code = code("refused");
            self.sent(at, claimed, pause, SendResult::Refused { code });
        } else if self.fault(rates.blocked) {
            self.count("blocked");
            let code = code("certificate");
            self.sent(at, claimed, pause, SendResult::Blocked { code });
        } else {
            let message_id = self.accepts(&local_id, 1);
            let pause = pause.max(2);
            self.sent(at, claimed, pause, SendResult::Accepted { message_id });
        }
    }

    /// MESH will take the message within this time, whatever becomes of the answer.
    fn accepts(&mut self, local_id: &str, within: i64) -> String {
        let id = self.mesh.new_id();
        let late = if self.fault(self.plan.rates.appears_late) {
            self.count("appear late");
            self.between(0, APPEARS)
        } else {
            0
        };
        let pause = self.between(0, within);
        let event = Event::Arrives {
            id: id.clone(),
            local_id: local_id.to_owned(),
            late,
        };
        self.after(pause, event);
        id
    }

    pub(crate) fn arrives(&mut self, id: String, local_id: String, late: i64) -> Held {
        self.count("messages");
        self.tell(|| format!("MESH takes {id} {local_id}, late by {late}"));
        let visible_at = self.now + late;
        let index = self.mesh.messages.len();
        let count = self.mesh.take(id, local_id.clone(), visible_at);
        if self.dice.chance(self.plan.rates.never_collected) {
            self.count("never collected");
            self.after(UNCOLLECTED, Event::Uncollected(index));
        } else {
            let pause = self.between(MINUTE, 6 * HOUR);
            self.after(pause, Event::Practice(index));
        }
        if count > 1 {
            self.count("doubles");
        }
        self.check.taken(&local_id, count)
    }

    pub(crate) fn asks(&mut self, local_id: &str) -> AskResult {
        if !self.plan.asking {
            return AskResult::Unavailable;
        }
        if self.mesh.is_down(self.now) || self.fault(self.plan.rates.ask_unreachable) {
            return AskResult::Unreachable;
        }
        if self.fault(self.plan.rates.ask_unavailable) {
            return AskResult::Unavailable;
        }
        self.mesh.ask(local_id, self.now)
    }

    pub(crate) fn tracks(&mut self, message_id: &str) -> TrackResult {
        if self.mesh.is_down(self.now) || self.fault(self.plan.rates.track_unavailable) {
            return TrackResult::Unavailable;
        }
        if self.fault(self.plan.rates.track_unknown) {
            return TrackResult::Unknown;
        }
        self.mesh.track(message_id)
    }

    /// The practice's system collects a message, and may say what it makes of it.
    pub(crate) fn practice(&mut self, index: usize) {
        self.mesh.messages[index].fate = Fate::Collected;
        if self.dice.chance(self.plan.rates.acknowledged) {
            self.count("acknowledgements");
            self.says(
                index,
                [Saying::Positive, Saying::Negative, Saying::NotOurPatient],
            );
            if self.dice.chance(400) {
                self.says(index, [Saying::Filed, Saying::NotFiled, Saying::Positive]);
            }
        }
    }

    /// Mostly the first of these, about the message itself; sometimes it names another one.
    fn says(&mut self, index: usize, sayings: [Saying; 3]) {
        let says = match self.dice.below(10) {
            0 => sayings[1],
            1 => sayings[2],
            _ => sayings[0],
        };
        let is_wrong = self.dice.chance(self.plan.rates.acknowledged_wrongly);
        let other = self.dice.below(self.mesh.messages.len());
        let named = if is_wrong { other } else { index };
        let report = ReportOf {
            says: Some(says),
            about: Some(self.mesh.messages[named].id.clone()),
            local_id: self.mesh.messages[index].local_id.clone(),
        };
        self.mesh.deliver(Some(report));
    }

    /// Nobody collected a message: MESH reports it, perhaps twice.
    pub(crate) fn uncollected(&mut self, index: usize) {
        let message = &mut self.mesh.messages[index];
        message.fate = Fate::Undelivered;
        let report = ReportOf {
            says: None,
            about: Some(message.id.clone()),
            local_id: message.local_id.clone(),
        };
        self.mesh.deliver(Some(report.clone()));
        self.count("reports");
        if self.dice.chance(self.plan.rates.reported_twice) {
            self.count("reports twice");
            self.mesh.deliver(Some(report));
        }
    }

    /// A report about a copy that is not there yet, or long gone: MESH is not always right.
    pub(crate) fn misdirected(&mut self) {
        let rows = self.store.rows();
        let waits = |copy: &&CopyRecord| {
            matches!(
                copy.state,
                CopyState::Queued | CopyState::Held | CopyState::Collected
            )
        };
        let waiting: Vec<String> = rows
            .copies
            .values()
            .filter(waits)
            .map(|copy| copy.local_id.as_str().to_owned())
            .collect();
        drop(rows);
        if waiting.is_empty() {
            return;
        }
        let local_id = waiting[self.dice.below(waiting.len())].clone();
        self.count("misdirected");
        self.mesh.deliver(Some(ReportOf {
            says: None,
            about: None,
            local_id,
        }));
    }

    /// Looks into the inbox; more seldom once nothing goes wrong any more.
    pub(crate) fn looks_into_inbox(&mut self, at: Process) -> Held {
        let pause = if self.now < CALM { 3 * MINUTE } else { HOUR };
        let pause = pause + self.between(0, MINUTE);
        self.after(pause, Event::LooksIntoInbox(at));
        if self.mesh.is_down(self.now) || self.fault(self.plan.rates.inbox_fails) {
            return Ok(());
        }
        let waiting = self.mesh.waiting();
        if waiting.is_empty() {
            return Ok(());
        }
        let seen = ready(self.store.seen(MAILBOX.to_owned(), waiting.clone()));
        let seen = seen.expect("the model reads");
        for (id, seen) in waiting.into_iter().zip(seen) {
            let pause = self.between(1, 20 * SECOND);
            let seen = seen.filter(|_| !self.has(Bug::SeenSetSkipped));
            match seen {
                Some(true) => self.after(pause, Event::Acknowledges(at, id)),
                Some(false) => {}
                None => self.after(pause, Event::Meets(at, id)),
            }
        }
        Ok(())
    }

    pub(crate) fn meets(&mut self, at: Process, id: String) -> Held {
        let letter = &self.mesh.inbox[&id];
        let copy = letter.report.as_ref().and_then(|report| {
            let local_id = LocalId::parse(&report.local_id);
            let found = self.store.copy_by_message(report.about.clone(), local_id);
            ready(found).expect("the model reads")
        });
        let copy = copy.map(Box::new);
        if self.has(Bug::MeshAckedBeforeCommit) && copy.is_some() {
            self.acknowledges(at, &id)?;
        }
        let pause = self.between(1, 500);
        self.after(pause, Event::Records { at, id, copy });
        Ok(())
    }

    pub(crate) fn records(
        &mut self,
        at: Process,
        id: String,
        copy: Option<Box<CopyRecord>>,
    ) -> Held {
        let now = self.time(at);
        let Some(copy) = copy else {
            let data = audit_core::Data::new().with("message_id", id.as_str());
            let mut commit = self.engine(at).note(now, "inbox.left_alone", data);
            commit.seen.push(SeenMessage::new(MAILBOX, id, false, now));
            return self.write(at, None, commit).map(drop);
        };
        let report = self.mesh.inbox[&id].report.as_ref();
        let says = report.and_then(|report| report.says);
        let about = report.and_then(|report| report.about.clone());
        let message = SeenMessage::new(MAILBOX, id.as_str(), true, now);
        let before = (*copy).clone();
        let engine = self.engine(at);
        let mut commit = match says {
            None => engine.reported(now, *copy, Report::new(message, "mesh-14", about)),
            Some(says) => {
                let said = Acknowledgement::new(message, says, None, about);
                engine.acknowledged(now, *copy, said)
            }
        };
        crate::bugs::plant(self, &mut commit);
        let event = says.map_or(CopyEvent::TransportUndelivered, Saying::event);
        let recorded = self.check.report_recorded(&before, event, &commit);
        match self.write(at, None, commit)? {
            Written::Yes => {
                recorded?;
                let pause = self.moment_of_the_net();
                self.after(pause, Event::Acknowledges(at, id));
                Ok(())
            }
            // It is met again at the next look.
            _ => Ok(()),
        }
    }

    fn moment_of_the_net(&mut self) -> i64 {
        self.between(1, SECOND)
    }

    pub(crate) fn acknowledges(&mut self, _: Process, id: &str) -> Held {
        if self.mesh.is_down(self.now) || self.fault(self.plan.rates.inbox_fails) {
            return Ok(());
        }
        let is_ours = self.mesh.inbox[id].report.is_some();
        self.check
            .taken_from_inbox(&self.store.rows(), MAILBOX, id, is_ours)?;
        if let Some(letter) = self.mesh.inbox.get_mut(id) {
            letter.acknowledged = true;
        }
        self.count("acknowledged");
        Ok(())
    }

    /// The wall clock jumps, and is set right after a while. A process that starts believes it,
    /// as it has nothing else: so it is not set while none lives that sees it.
    pub(crate) fn jumps(&mut self) {
        if !self.workers[0].would_see(self.now) {
            self.after(SECOND, Event::Jumps);
            return;
        }
        self.count("jumps");
        let far = self.between(10 * MINUTE, 60 * HOUR);
        self.wall_off = if self.dice.chance(500) { far } else { -far };
        self.sees_the_clock();
        let pause = self.between(5 * MINUTE, HOUR);
        self.after(pause, Event::Settles);
    }

    pub(crate) fn settles(&mut self) {
        if !self.workers[0].would_see(self.now) {
            self.after(SECOND, Event::Settles);
            return;
        }
        self.wall_off = 0;
        self.sees_the_clock();
    }

    /// Within seconds; until then the process is spared, for one that starts meanwhile could not
    /// know.
    fn sees_the_clock(&mut self) {
        self.spared_until = self.now + 10 * MINUTE;
        self.tell(|| format!("the wall clock is {} ms off", self.wall_off));
        let at = Process {
            worker: 0,
            life: self.workers[0].life,
        };
        self.after(SECOND, Event::WatchesClock(at));
    }
}

fn not_reached() -> SendResult {
    SendResult::Retry {
        after: None,
        code: "unreachable".to_owned(),
        unreachable: true,
    }
}
