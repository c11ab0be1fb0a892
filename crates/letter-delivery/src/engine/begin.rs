//! Claimed work is looked at once more, and begun.

use audit_core::Data;
use chrono::{DateTime, Utc};

use super::Engine;
use super::intake::CANCELLED;
use super::policy::SOONEST;
use super::restore::must_ask;
use crate::commit::{Commit, Work, WorkChange, WorkKind};
use crate::copy::CopyEvent;
use crate::keys::{LocalId, PayloadId};
use crate::record::{CopyRecord, Pending};
use crate::state::{CopyState, LetterState};
use crate::store::Claimed;

/// What to make durable first, and what to do then.
#[derive(Debug)]
#[non_exhaustive]
pub struct Begun {
    /// To be durable before the order is carried out.
    pub commit: Commit,
    /// What to do; nothing when the work was put off or settled.
    pub order: Option<Order>,
}

/// Something to do outside, with the claimed work to hand back with its result.
#[derive(Debug)]
#[non_exhaustive]
pub struct Order {
    /// The work, as it stands now.
    pub claimed: Claimed,
    /// What to do.
    pub job: Job,
}

/// What to do outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the one who executes must meet every job"
)]
pub enum Job {
    /// Route the letter and shape its copies, or the one copy that is claimed; the result goes to [`Engine::prepared`].
    Prepare,
    /// Make one attempt to send; the result goes to [`Engine::sent`].
    Send {
        /// The sealed bytes.
        artefact: PayloadId,
    },
    /// Ask for a local id; the result goes to [`Engine::asked`].
    Ask {
        /// The local id.
        local_id: LocalId,
    },
    /// Ask what became of a message; the result goes to [`Engine::tracked`].
    Track {
        /// The message.
        message_id: String,
    },
}

impl Engine {
    /// Begins a claimed piece of work: the last look at versions, withdrawals, stops and the
    /// breaker.
    pub fn begin(&mut self, now: DateTime<Utc>, claimed: Claimed) -> Begun {
        let fence = (claimed.work.stream, claimed.token);
        let mut begun = match (claimed.work.kind, claimed.copy.clone()) {
            (WorkKind::Prepare, _) if claimed.letter.state == LetterState::Parsed => {
                order(claimed, Job::Prepare)
            }
            (WorkKind::Reroute, Some(copy)) if copy.state == CopyState::Routed => {
                order(claimed, Job::Prepare)
            }
            (WorkKind::Send, Some(copy)) => self.begin_send(now, claimed, copy),
            (WorkKind::Ask, Some(copy)) if copy.state == CopyState::Uncertain => {
                let job = Job::Ask {
                    local_id: copy.local_id,
                };
                self.unless_broken(now, claimed, job)
            }
            (WorkKind::Track, Some(copy)) => match copy.message_id {
                Some(message_id) if is_followed(copy.state) => {
                    self.unless_broken(now, claimed, Job::Track { message_id })
                }
                _ => settle(claimed),
            },
            _ => settle(claimed),
        };
        begun.commit.fence = Some(fence);
        begun
    }

    fn begin_send(&mut self, now: DateTime<Utc>, claimed: Claimed, copy: CopyRecord) -> Begun {
        match copy.state {
            CopyState::Sending => self.found_open_attempt(now, copy),
            CopyState::Queued if let Some(stop) = asked_first(now, &claimed, &copy) => {
                self.doubt(now, copy, stop)
            }
            CopyState::Queued if copy.withdraw_pending => self.carry_withdrawal(now, copy),
            CopyState::Queued if copy.pending == Some(Pending::Suppress) => {
                self.carry_suppression(now, copy)
            }
            CopyState::Queued if is_overtaken(&copy, &claimed) => {
                self.give_way(now, copy, claimed.latest_version)
            }
            CopyState::Queued if is_being_voted_on(&copy, &claimed) => {
                put_off(now, &claimed, now + self.policy.vote_pause)
            }
            CopyState::Queued => match copy.artefact {
                Some(artefact) => match claimed.stops.holding(&claimed.letter, &copy) {
                    Some(_) => self.park(now, &claimed),
                    None => self.start_attempt(now, claimed, copy, artefact),
                },
                None => settle(claimed),
            },
            _ => settle(claimed),
        }
    }

    /// The process that began this attempt died: whether MESH has it must be asked.
    fn found_open_attempt(&mut self, now: DateTime<Utc>, mut copy: CopyRecord) -> Begun {
        let ask_at = now + self.policy.ask_after;
        let mut writer = self.writer(now);
        writer.copy(
            &mut copy,
            CopyEvent::SendUnknown,
            Some("restart"),
            Data::new(),
        );
        copy.asked = 0;
        copy.doubt_since = Some(now);
        writer.work(copy.work(WorkKind::Ask, ask_at));
        writer.commit.copies.push(copy);
        Begun {
            commit: writer.commit,
            order: None,
        }
    }

    fn carry_withdrawal(&mut self, now: DateTime<Utc>, mut copy: CopyRecord) -> Begun {
        let mut writer = self.writer(now);
        writer.withdraw_copy(&mut copy, Some(CANCELLED));
        writer.commit.copies.push(copy);
        Begun {
            commit: writer.commit,
            order: None,
        }
    }

    fn carry_suppression(&mut self, now: DateTime<Utc>, mut copy: CopyRecord) -> Begun {
        let mut writer = self.writer(now);
        writer.suppress_copy(&mut copy);
        writer.commit.copies.push(copy);
        Begun {
            commit: writer.commit,
            order: None,
        }
    }

    /// H9: an old version never overtakes a new one.
    fn give_way(&mut self, now: DateTime<Utc>, mut copy: CopyRecord, latest: u32) -> Begun {
        let mut writer = self.writer(now);
        let data = Data::new().with("latest_version", i64::from(latest));
        writer.copy(&mut copy, CopyEvent::Superseded, None, data);
        copy.supersede_pending = false;
        writer.done(copy.key);
        writer.commit.copies.push(copy);
        Begun {
            commit: writer.commit,
            order: None,
        }
    }

    /// A stop stands: nothing is spent, and a lift frees it.
    fn park(&self, now: DateTime<Utc>, claimed: &Claimed) -> Begun {
        let until = now + self.policy.parked_for;
        let work = Work {
            due_at: until,
            earliest_at: until,
            ..claimed.work.clone()
        };
        let commit = Commit {
            work: vec![WorkChange::Park(work)],
            stops_seen: Some(claimed.stops.version()),
            ..Commit::default()
        };
        Begun {
            commit,
            order: None,
        }
    }

    fn start_attempt(
        &mut self,
        now: DateTime<Utc>,
        mut claimed: Claimed,
        mut copy: CopyRecord,
        artefact: PayloadId,
    ) -> Begun {
        if let Some(until) = self.breaker.wait_until(now, self.policy.breaker_pause) {
            return put_off(now, &claimed, until);
        }
        copy.attempts = copy.attempts.saturating_add(1);
        copy.first_attempt_at = copy.first_attempt_at.or(Some(now));
        let data = Data::new()
            .with("attempt", i64::from(copy.attempts))
            .with("series", i64::from(copy.series))
            .with("local_id", copy.local_id.as_str());
        let mut writer = self.writer(now);
        writer.copy(&mut copy, CopyEvent::SendStarted, None, data);
        writer.commit.copies.push(copy.clone());
        writer.commit.stops_seen = Some(claimed.stops.version());
        let commit = writer.commit;
        claimed.copy = Some(copy);
        Begun {
            commit,
            order: Some(Order {
                claimed,
                job: Job::Send { artefact },
            }),
        }
    }

    fn unless_broken(&mut self, now: DateTime<Utc>, claimed: Claimed, job: Job) -> Begun {
        match self.breaker.wait_until(now, self.policy.breaker_pause) {
            Some(until) => put_off(now, &claimed, until),
            None => order(claimed, job),
        }
    }
}

/// The restore that it must be asked about before anything is decided.
fn asked_first(now: DateTime<Utc>, claimed: &Claimed, copy: &CopyRecord) -> Option<u32> {
    must_ask(now, &claimed.stops, &claimed.letter, copy)
}

/// Whether a later version, or a document that replaces this one, came meanwhile.
const fn is_overtaken(copy: &CopyRecord, claimed: &Claimed) -> bool {
    copy.supersede_pending || claimed.letter.version < claimed.latest_version
}

/// One person wants it suppressed and a second has not spoken: until then it does not leave.
fn is_being_voted_on(copy: &CopyRecord, claimed: &Claimed) -> bool {
    let vote = claimed.letter.vote.as_ref();
    let vote = vote.filter(|vote| vote.is_to_suppress());
    vote.is_some_and(|vote| vote.copy.is_none_or(|number| number == copy.number))
}

/// Whether it still matters what becomes of a message in this state.
const fn is_followed(state: CopyState) -> bool {
    matches!(state, CopyState::Accepted | CopyState::WithdrawalDue)
}

fn order(claimed: Claimed, job: Job) -> Begun {
    Begun {
        commit: Commit::default(),
        order: Some(Order { claimed, job }),
    }
}

/// Nothing is left to do, so the work is taken off the list.
fn settle(claimed: Claimed) -> Begun {
    let commit = Commit {
        work: vec![WorkChange::Done(claimed.work.stream)],
        ..Commit::default()
    };
    Begun {
        commit,
        order: None,
    }
}

/// Later by itself, sooner by a run that a person starts: it greets MESH first, and so knows.
fn put_off(now: DateTime<Utc>, claimed: &Claimed, until: DateTime<Utc>) -> Begun {
    let work = Work {
        due_at: until,
        earliest_at: now + SOONEST,
        ..claimed.work.clone()
    };
    let commit = Commit {
        work: vec![WorkChange::Set(work)],
        ..Commit::default()
    };
    Begun {
        commit,
        order: None,
    }
}
