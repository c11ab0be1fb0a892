//! The recipient's system, or a person there, said what became of a copy.

use audit_core::Data;
use chrono::{DateTime, Utc};

use super::Engine;
use crate::commit::{Commit, SeenMessage};
use crate::copy::CopyEvent;
use crate::record::CopyRecord;
use crate::state::StateKind;

/// A business acknowledgement that came back about one of our messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acknowledgement {
    /// The acknowledgement's own message.
    pub message: SeenMessage,
    /// What it says.
    pub says: Saying,
    /// The recipient's code, if it gave one.
    pub code: Option<String>,
    /// The id of the message it is about, where it names one.
    pub about: Option<String>,
}

impl Acknowledgement {
    /// An acknowledgement.
    pub const fn new(
        message: SeenMessage,
        says: Saying,
        code: Option<String>,
        about: Option<String>,
    ) -> Self {
        Self {
            message,
            says,
            code,
            about,
        }
    }
}

/// What a recipient can say (audit-and-delivery facts 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "every saying must be joined to an event"
)]
pub enum Saying {
    /// Its system took it.
    Positive,
    /// Its system refused it.
    Negative,
    /// It does not know the patient.
    NotOurPatient,
    /// It is filed to the record.
    Filed,
    /// It would not file it.
    NotFiled,
}

impl Saying {
    /// Everything that can be said.
    pub const ALL: &'static [Self] = &[
        Self::Positive,
        Self::Negative,
        Self::NotOurPatient,
        Self::Filed,
        Self::NotFiled,
    ];

    /// The event it becomes.
    pub const fn event(self) -> CopyEvent {
        match self {
            Self::Positive => CopyEvent::AckPositive,
            Self::Negative => CopyEvent::AckNegative,
            Self::NotOurPatient => CopyEvent::AckNotOurPatient,
            Self::Filed => CopyEvent::GpFiled,
            Self::NotFiled => CopyEvent::GpRejected,
        }
    }
}

/// What does not fit: it names another message than the one we sent.
const OTHER_MESSAGE: &str = "an acknowledgement names another message";

impl Engine {
    /// Records a business acknowledgement; MESH may be told "acknowledged" once this is durable.
    ///
    /// It may overtake "collected": the state never goes backwards. One that names another
    /// message than the copy's own is recorded, moves nothing and a person is told (H19).
    pub fn acknowledged(
        &mut self,
        now: DateTime<Utc>,
        mut copy: CopyRecord,
        acknowledgement: Acknowledgement,
    ) -> Commit {
        let before = copy.state;
        let Acknowledgement {
            message,
            says,
            code,
            about,
        } = acknowledgement;
        let mut data = Data::new().with("acknowledgement", message.message_id.as_str());
        if let Some(about) = &about {
            data.insert("about", about.as_str());
        }
        let ours = copy.message_id.as_ref().zip(about.as_ref());
        let fits = ours.is_none_or(|(sent, about)| sent == about);
        let mut writer = self.writer(now);
        if fits {
            writer.copy(&mut copy, says.event(), code.as_deref(), data);
        } else {
            writer.anomaly(&mut copy, says.event(), OTHER_MESSAGE, data);
        }
        if copy.state != before {
            copy.accepted_at = copy.accepted_at.or(Some(now));
            copy.message_id = copy.message_id.take().or(about);
            copy.doubt_since = None;
            writer.carry_through(&mut copy);
            if copy.state.kind() != StateKind::Open {
                writer.done(copy.key);
            }
        }
        writer.commit.copies.push(copy);
        writer.commit.seen.push(message);
        writer.commit
    }
}
