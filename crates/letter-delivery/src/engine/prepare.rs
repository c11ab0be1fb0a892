//! A letter's recipients and roads are chosen, and its copies shaped.

use audit_core::{Data, salted_digest};
use chrono::{DateTime, Duration, Utc};
use nhs_types::Sensitive;

use super::{Engine, Writer};
use crate::commit::{Commit, NewPayload, PayloadKind, WorkChange, WorkKind};
use crate::copy::CopyEvent;
use crate::keys::{LocalId, PayloadId};
use crate::letter::LetterEvent;
use crate::outcome::Route;
use crate::record::{Address, CopyRecord};
use crate::state::{CopyState, LetterState};
use crate::store::Claimed;

/// What routing and shaping made of a letter.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three ways a letter leaves its preparation"
)]
pub enum Prepared {
    /// It goes to these recipients.
    Copies(Vec<PreparedCopy>),
    /// It stops here.
    Stopped {
        /// What routing decided.
        route: Route,
        /// The reason, as a code.
        reason: String,
        /// What the decision rests on: codes, digests, dates.
        evidence: Data,
    },
    /// Something needed for the decision cannot be had for the moment.
    Later {
        /// What, as a code.
        reason: String,
        /// When to try again.
        after: Duration,
    },
}

/// One recipient and road, with what goes there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PreparedCopy {
    /// Where it goes.
    pub address: Address,
    /// What the decision rests on: codes, digests, dates.
    pub evidence: Data,
    /// What goes there, or the reason why it could not be made.
    pub shaped: Result<ShapedCopy, String>,
}

impl PreparedCopy {
    /// One recipient and road.
    pub const fn new(address: Address, evidence: Data, shaped: Result<ShapedCopy, String>) -> Self {
        Self {
            address,
            evidence,
            shaped,
        }
    }
}

/// The bytes for one recipient, proven to say what was signed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShapedCopy {
    /// The bytes.
    pub bytes: Sensitive<Vec<u8>>,
    /// What kind of bytes.
    pub content_type: String,
    /// Counts, digests and rule version of the proof.
    pub proof: Data,
}

impl ShapedCopy {
    /// The bytes for one recipient.
    pub fn new(bytes: Vec<u8>, content_type: impl Into<String>, proof: Data) -> Self {
        Self {
            bytes: Sensitive::new(bytes),
            content_type: content_type.into(),
            proof,
        }
    }
}

/// A letter that routing sent to nobody.
const NOBODY: &str = "no-recipient";

impl Engine {
    /// Records what routing and shaping made of a letter, and queues its copies.
    pub fn prepared(&mut self, now: DateTime<Utc>, claimed: Claimed, prepared: Prepared) -> Commit {
        let token = claimed.token;
        let stream = claimed.work.stream;
        if let Some(copy) = claimed.copy.clone() {
            let mut commit = self.prepared_anew(now, &claimed, copy, prepared);
            commit.fence = Some((stream, token));
            return commit;
        }
        let mut commit = match prepared {
            Prepared::Copies(copies) if copies.is_empty() => {
                self.stopped(now, claimed, Route::Hold, NOBODY, Data::new())
            }
            Prepared::Copies(copies) => self.copies(now, claimed, copies),
            Prepared::Stopped {
                route,
                reason,
                evidence,
            } => self.stopped(now, claimed, route, &reason, evidence),
            Prepared::Later { reason, after } => self.later(now, claimed, &reason, after),
        };
        commit.fence = Some((stream, token));
        commit
    }

    fn copies(
        &mut self,
        now: DateTime<Utc>,
        claimed: Claimed,
        copies: Vec<PreparedCopy>,
    ) -> Commit {
        let mut letter = claimed.letter;
        let copies = if letter.state == LetterState::Parsed {
            copies
        } else {
            Vec::new()
        };
        let keyed: Vec<_> = (1_u32..)
            .zip(copies)
            .map(|(number, copy)| {
                (
                    number,
                    self.keys.copy(letter.key, number),
                    self.payload_id(),
                    copy,
                )
            })
            .collect();
        let mut writer = self.writer(now);
        let count = u32::try_from(keyed.len()).unwrap_or(u32::MAX);
        letter.copies = letter.copies.max(count);
        let data = Data::new().with("copies", i64::from(count));
        writer.letter(&mut letter, LetterEvent::Routed, None, data);
        writer.done(letter.key);
        for (number, key, artefact, prepared) in keyed {
            let mut copy = CopyRecord {
                key,
                letter: letter.key,
                number,
                subject: letter.subject,
                state: CopyState::Routed,
                resume: None,
                reason: None,
                alert: None,
                address: prepared.address.clone(),
                lane: letter.lane,
                artefact: None,
                content_type: None,
                series: 1,
                attempts: 0,
                spent: 0,
                first_attempt_at: None,
                asked: 0,
                doubt_since: None,
                tracked: 0,
                local_id: LocalId::of(letter.key, number, 1),
                message_id: None,
                withdraw_pending: false,
                supersede_pending: false,
                pending: None,
                cleared: None,
                reroute: None,
                rules: Vec::new(),
                repeats: 0,
                due_at: letter.due_at,
                entered_at: now,
                accepted_at: None,
                closed_at: None,
                events: 0,
            };
            writer.shape(&mut copy, prepared, artefact);
            writer.commit.copies.push(copy);
        }
        writer.commit.letters.push(letter);
        writer.commit
    }

    fn stopped(
        &mut self,
        now: DateTime<Utc>,
        claimed: Claimed,
        route: Route,
        reason: &str,
        evidence: Data,
    ) -> Commit {
        let mut letter = claimed.letter;
        let event = match route {
            // What stops has no copies: as routed it would be seen no more.
            Route::Send => Route::Hold.event(),
            other => other.event(),
        };
        let mut writer = self.writer(now);
        writer.letter(&mut letter, event, Some(reason), evidence);
        writer.done(letter.key);
        writer.commit.letters.push(letter);
        writer.commit
    }

    /// A passing fault is tried again within the due time; only then a person is asked.
    fn later(
        &mut self,
        now: DateTime<Utc>,
        claimed: Claimed,
        reason: &str,
        after: Duration,
    ) -> Commit {
        let letter = &claimed.letter;
        let until_due = letter.due_at.map(|due| due - letter.taken_at);
        let patience = until_due.unwrap_or(self.policy.lookup_gives_up);
        let patience = patience.max(self.policy.ask_gives_up);
        if self.elapsed(now, letter.taken_at) >= patience {
            return self.stopped(now, claimed, Route::Hold, reason, Data::new());
        }
        let mut work = letter.preparation(now + after);
        work.tries = claimed.work.tries.saturating_add(1);
        Commit {
            work: vec![WorkChange::Set(work)],
            ..Commit::default()
        }
    }
}

impl Engine {
    /// One copy was routed and shaped anew.
    fn prepared_anew(
        &mut self,
        now: DateTime<Utc>,
        claimed: &Claimed,
        mut copy: CopyRecord,
        prepared: Prepared,
    ) -> Commit {
        let artefact = self.payload_id();
        let gives_up = copy.entered_at + self.policy.lookup_gives_up;
        let mut writer = self.writer(now);
        match prepared {
            Prepared::Later { after, .. } if now < gives_up => {
                let mut work = copy.work(WorkKind::Reroute, now + after);
                work.tries = claimed.work.tries.saturating_add(1);
                writer.commit.work.push(WorkChange::Set(work));
                return writer.commit;
            }
            Prepared::Later { reason, .. } => {
                writer.hold_anew(&mut copy, Route::Hold, &reason, Data::new());
            }
            Prepared::Stopped {
                route,
                reason,
                evidence,
            } => writer.hold_anew(&mut copy, route, &reason, evidence),
            Prepared::Copies(copies) => match copies.into_iter().next() {
                Some(prepared) => {
                    copy.address = prepared.address.clone();
                    copy.artefact = None;
                    writer.shape(&mut copy, prepared, artefact);
                    if copy.state == CopyState::Held {
                        writer.done(copy.key);
                    }
                }
                None => writer.hold_anew(&mut copy, Route::Hold, NOBODY, Data::new()),
            },
        }
        writer.commit.copies.push(copy);
        writer.commit
    }
}

impl Writer<'_> {
    /// Routed anew, it could not be placed: a person decides.
    fn hold_anew(&mut self, copy: &mut CopyRecord, route: Route, reason: &str, evidence: Data) {
        let event = match route {
            Route::Ambiguous => CopyEvent::RouteAmbiguous,
            _ => CopyEvent::RouteNone,
        };
        self.copy(copy, event, Some(reason), evidence);
        self.done(copy.key);
    }

    fn shape(&mut self, copy: &mut CopyRecord, prepared: PreparedCopy, artefact: PayloadId) {
        let address = &prepared.address;
        let data = prepared
            .evidence
            .with("letter", copy.letter.to_string())
            .with("recipient_ods", address.practice.as_str())
            .with("mailbox", address.mailbox.as_str())
            .with("workflow", address.workflow.as_str())
            .with("profile", address.profile.as_str());
        copy.rules = rules_of(&data).collect();
        self.copy(copy, CopyEvent::Routed, None, data);
        let shaped = match prepared.shaped {
            Ok(shaped) => shaped,
            Err(reason) => {
                self.copy(copy, CopyEvent::RenderFailed, Some(&reason), Data::new());
                return;
            }
        };
        let salt = self.random();
        let digest = salted_digest(&salt, shaped.bytes.expose()).to_string();
        let size = i64::try_from(shaped.bytes.expose().len()).unwrap_or(i64::MAX);
        let bytes = shaped.bytes.into_exposed();
        let payload = NewPayload::new(artefact, copy.letter, PayloadKind::Artefact, salt, bytes);
        self.commit.payloads.push(payload);
        copy.artefact = Some(artefact);
        copy.content_type = Some(shaped.content_type);
        copy.rules.extend(rules_of(&shaped.proof));
        let data = shaped
            .proof
            .with("artefact_digest", digest)
            .with("bytes", size);
        self.copy(copy, CopyEvent::Rendered, None, data);
        self.copy(
            copy,
            CopyEvent::Queued,
            None,
            Data::new().with("queue", "mesh"),
        );
        self.work(copy.work(WorkKind::Send, self.now));
    }
}

/// The versions of the rules that a decision or a proof names: what a stop can name again.
fn rules_of(data: &Data) -> impl Iterator<Item = String> {
    let routing = data.text("rules").map(str::to_owned);
    let proof = data
        .int("proof_rules")
        .map(|version| format!("proof {version}"));
    routing.into_iter().chain(proof)
}
