//! The rows that hold where letters and copies stand: a projection of their events.

use audit_core::{StreamKey, SubjectKey};
use chrono::{DateTime, Duration, Utc};
use nhs_types::{MailboxId, OdsCode, WorkflowId};
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::commit::{Lane, Work, WorkKind};
use crate::decision::DecisionKind;
use crate::duty::Duty;
use crate::keys::{DocumentKey, LocalId, PayloadId};
use crate::state::{CopyState, LetterState, StateKind};
use crate::step::Position;

/// Where one letter stands: one version of one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LetterRecord {
    /// Its stream in the ledger.
    #[serde(with = "crate::keys::stream_hex")]
    pub key: StreamKey,
    /// Its document, which orders versions.
    pub document: DocumentKey,
    /// Version of the document, counted here from 1 in the order of arrival.
    pub version: u32,
    /// The version as its source counts, where it does.
    pub source_version: Option<u32>,
    /// The patient's pseudonym, if a number was read.
    #[serde(with = "crate::keys::subject_hex")]
    pub subject: Option<SubjectKey>,
    /// The state.
    pub state: LetterState,
    /// For a held letter: where it goes on.
    pub resume: Option<LetterState>,
    /// The reason of a hold or an end, as a code.
    pub reason: Option<String>,
    /// The source it came from, as configured.
    pub source: String,
    /// Its class, such as `discharge-summary`.
    pub class: String,
    /// The neutral letter, sealed.
    pub content: Option<PayloadId>,
    /// When it was signed.
    pub signed_at: Option<DateTime<Utc>>,
    /// When the contract wants it with the practice.
    pub due_at: Option<DateTime<Utc>>,
    /// When it entered its state.
    pub entered_at: DateTime<Utc>,
    /// When it was taken from its source.
    pub taken_at: DateTime<Utc>,
    /// How many copies it has.
    pub copies: u32,
    /// Whose turn its work has.
    #[serde(default)]
    pub lane: Lane,
    /// Cancelled by its source: what comes later of this document needs a person.
    #[serde(default)]
    pub cancelled: bool,
    /// An earlier version of the document had left, or may have, when this one came.
    #[serde(default)]
    pub earlier_left: bool,
    /// Fingerprints of earlier contents of the document, so that a replay of one is known.
    #[serde(default)]
    pub earlier: Vec<[u8; 32]>,
    /// Something a person must know although the state goes on.
    #[serde(default)]
    pub alert: Option<String>,
    /// Where a person has it go; routing is asked with it.
    #[serde(default)]
    pub reroute: Option<Reroute>,
    /// A decision that waits for a second person.
    #[serde(default)]
    pub vote: Option<Vote>,
    /// When its contents and identifiers were destroyed, if they were.
    #[serde(default)]
    pub erased_at: Option<DateTime<Utc>>,
    /// The number of its events.
    pub events: u64,
}

/// Where one copy stands: one recipient, one road.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CopyRecord {
    /// Its stream in the ledger.
    #[serde(with = "crate::keys::stream_hex")]
    pub key: StreamKey,
    /// The letter it is a copy of.
    #[serde(with = "crate::keys::stream_hex")]
    pub letter: StreamKey,
    /// Its number within the letter, from 1.
    pub number: u32,
    /// The patient's pseudonym.
    #[serde(with = "crate::keys::subject_hex")]
    pub subject: Option<SubjectKey>,
    /// The state.
    pub state: CopyState,
    /// For a held copy: where it goes on.
    pub resume: Option<CopyState>,
    /// The reason of a hold, a failure or an end, as a code.
    pub reason: Option<String>,
    /// Something a person must know although the state goes on: a double, a contradiction.
    pub alert: Option<String>,
    /// Where it goes.
    pub address: Address,
    /// Whose turn its work has.
    #[serde(default)]
    pub lane: Lane,
    /// The bytes to send, sealed.
    pub artefact: Option<PayloadId>,
    /// What kind of bytes they are.
    pub content_type: Option<String>,
    /// Attempt series, from 1: a person's resend begins a new one.
    pub series: u32,
    /// Attempts begun in this series.
    pub attempts: u32,
    /// Attempts of this series that were answered with a failure.
    pub spent: u32,
    /// When the first attempt of this series began that reached the transport.
    pub first_attempt_at: Option<DateTime<Utc>>,
    /// How often MESH was asked about the present doubt.
    pub asked: u32,
    /// When the present doubt began.
    pub doubt_since: Option<DateTime<Utc>>,
    /// How often MESH was asked whether it was collected.
    pub tracked: u32,
    /// The local id of this series.
    pub local_id: LocalId,
    /// The id that MESH gave.
    pub message_id: Option<String>,
    /// Cancelled by its source while MESH may have had it: to be carried through when known.
    pub withdraw_pending: bool,
    /// A later version came while MESH may have had it: to be carried through when known.
    #[serde(default)]
    pub supersede_pending: bool,
    /// What a person decided while MESH may have had it: to be carried through when known.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// Where a person has it go; routing is asked with it.
    #[serde(default)]
    pub reroute: Option<Reroute>,
    /// Versions of the rules it was routed and proven by.
    #[serde(default)]
    pub rules: Vec<String>,
    /// The restore, by its stop, and the series that MESH was asked about because of it.
    #[serde(default)]
    pub cleared: Option<(u32, u32)>,
    /// How often something was heard again that was known.
    #[serde(default)]
    pub repeats: u32,
    /// When the contract wants it with the practice.
    pub due_at: Option<DateTime<Utc>>,
    /// When it entered its state.
    pub entered_at: DateTime<Utc>,
    /// When MESH took it.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it was closed by what its profile promises.
    pub closed_at: Option<DateTime<Utc>>,
    /// The number of its events.
    pub events: u64,
}

/// A practice that a person named, to be routed to instead of the one that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reroute {
    /// The practice.
    pub practice: OdsCode,
    /// Its mailbox, if the person named that too; else it is looked up.
    pub mailbox: Option<MailboxId>,
}

impl Reroute {
    /// To this practice, by the mailbox that a lookup finds.
    pub const fn to(practice: OdsCode) -> Self {
        Self {
            practice,
            mailbox: None,
        }
    }

    /// By this mailbox.
    #[must_use]
    pub fn by(mut self, mailbox: MailboxId) -> Self {
        self.mailbox = Some(mailbox);
        self
    }
}

/// A person's decision that waits until it is known whether MESH has the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "each must be carried through")]
pub enum Pending {
    /// It must not go.
    Suppress,
    /// It is taken back.
    Withdraw,
}

/// A decision that one person took and that waits for a second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Vote {
    /// The decision, by its name.
    pub decision: String,
    /// The copy it is about; the whole letter when there is none.
    pub copy: Option<u32>,
    /// Who took it.
    pub by: Actor,
    /// Why, as a code.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Vote {
    /// Whether it is about suppressing; the other decisions of two have commands of their own.
    pub(crate) fn is_to_suppress(&self) -> bool {
        self.decision == DecisionKind::Suppress.as_str()
    }
}

/// Where a copy goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Address {
    /// The recipient organisation.
    pub practice: OdsCode,
    /// Its mailbox.
    pub mailbox: MailboxId,
    /// The workflow the message is sent under.
    pub workflow: WorkflowId,
    /// The receiver profile it was shaped for.
    pub profile: String,
    /// What closes it.
    pub closes_on: ClosesOn,
}

impl Address {
    /// An address that a collected message closes.
    pub fn new(
        practice: OdsCode,
        mailbox: MailboxId,
        workflow: WorkflowId,
        profile: impl Into<String>,
    ) -> Self {
        let closes_on = ClosesOn::Collected;
        Self {
            practice,
            mailbox,
            workflow,
            profile: profile.into(),
            closes_on,
        }
    }
}

/// What a receiver promises, and so what closes a copy (audit-and-delivery facts 3.3).
///
/// ```
/// use letter_delivery::{ClosesOn, CopyState};
/// assert!(ClosesOn::Collected.closed_by(CopyState::Collected));
/// let promised = ClosesOn::Acknowledged;
/// assert!(!promised.closed_by(CopyState::Collected));
/// assert_eq!(promised.duty(CopyState::Collected).alarm, "W-ACK");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "callers must meet every promise")]
pub enum ClosesOn {
    /// Nothing beyond collection by its system: closed, filing unproven.
    Collected,
    /// A positive acknowledgement.
    Acknowledged,
    /// Filing to the record.
    Filed,
}

impl ClosesOn {
    /// Whether a copy in this state is closed.
    pub const fn closed_by(self, state: CopyState) -> bool {
        match state {
            CopyState::Filed => true,
            CopyState::Acked => !matches!(self, Self::Filed),
            CopyState::Collected => matches!(self, Self::Collected),
            _ => false,
        }
    }

    /// What a copy in this state asks for when its receiver promises this.
    pub const fn duty(self, state: CopyState) -> Duty {
        match (self, state) {
            (Self::Acknowledged | Self::Filed, CopyState::Collected) => Duty::ACKNOWLEDGE,
            (Self::Filed, CopyState::Acked) => Duty::FILE,
            _ => state.duty(),
        }
    }
}

impl LetterRecord {
    /// The work of preparing it.
    pub(crate) const fn preparation(&self, due_at: DateTime<Utc>) -> Work {
        let mut work = Work::new(self.key, WorkKind::Prepare, due_at);
        work.lane = self.lane;
        work
    }

    /// Its place in the life cycle.
    pub const fn position(&self) -> Position<LetterState> {
        Position {
            state: self.state,
            resume: self.resume,
        }
    }

    /// When someone must act, by the state's duty.
    pub fn act_by(&self) -> Option<DateTime<Utc>> {
        act_by(self.entered_at, &self.state.duty())
    }

    /// Whether a person must act.
    pub fn needs_person(&self) -> bool {
        let waits = self.alert.is_some() || self.vote.is_some();
        self.state.kind() == StateKind::NeedsPerson || waits
    }
}

impl CopyRecord {
    /// Work about it; to send it has its mailbox as destination.
    pub(crate) fn work(&self, kind: WorkKind, due_at: DateTime<Utc>) -> Work {
        let mut work = Work::new(self.key, kind, due_at);
        work.lane = self.lane;
        work.destination = (kind == WorkKind::Send).then(|| self.address.mailbox.clone());
        work
    }

    /// Its place in the life cycle.
    pub const fn position(&self) -> Position<CopyState> {
        Position {
            state: self.state,
            resume: self.resume,
        }
    }

    /// Who must act, by when: what the state asks for, and what its profile still promises.
    pub const fn duty(&self) -> Duty {
        self.address.closes_on.duty(self.state)
    }

    /// When someone must act.
    pub fn act_by(&self) -> Option<DateTime<Utc>> {
        act_by(self.entered_at, &self.duty())
    }

    /// Whether a person must act.
    pub fn needs_person(&self) -> bool {
        self.state.kind() == StateKind::NeedsPerson || self.alert.is_some()
    }

    /// Whether MESH may have it although that is not known.
    pub(crate) const fn is_in_doubt(&self) -> bool {
        matches!(
            (self.state, self.resume),
            (CopyState::Sending | CopyState::Uncertain, _)
                | (CopyState::Held, Some(CopyState::Uncertain))
        )
    }

    /// Whether it left for MESH, or may have.
    pub(crate) const fn may_have_left(&self) -> bool {
        self.accepted_at.is_some() || self.is_in_doubt()
    }
}

/// Adds to what a person must know; what was told before stays.
pub(crate) fn tell(alert: &mut Option<String>, what: &str) {
    match alert {
        Some(told) if is_told(told, what) => {}
        Some(told) => {
            told.push_str("; ");
            told.push_str(what);
        }
        None => *alert = Some(what.to_owned()),
    }
}

/// Whether an alert says this already.
pub(crate) fn is_told(alert: &str, what: &str) -> bool {
    alert.split("; ").any(|told| told == what)
}

pub(crate) fn act_by(entered_at: DateTime<Utc>, duty: &Duty) -> Option<DateTime<Utc>> {
    duty.within
        .and_then(|within: Duration| entered_at.checked_add_signed(within))
}
