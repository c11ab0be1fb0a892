//! The life of one copy: one recipient, one road.

use crate::letter::events;
use crate::state::CopyState::{self, *};
use crate::step::{Position, Step};

events! {
    /// What can happen to a copy (audit-and-delivery facts 3.2, design section 9).
    CopyEvent {
        /// Recipient, mailbox, workflow and profile were chosen.
        Routed = "routed";
        /// The bytes to send are fixed, and say what was signed.
        Rendered = "rendered";
        /// The artefact could not be made, or does not say what was signed.
        RenderFailed = "render.failed";
        /// It waits to be sent.
        Queued = "queued";
        /// An attempt begins.
        SendStarted = "send.started";
        /// MESH took it.
        SendAccepted = "send.accepted";
        /// MESH refused it for good.
        SendRefused = "send.refused";
        /// Nothing was taken; it may be tried again.
        SendRetryable = "send.retryable";
        /// No answer that can be trusted.
        SendUnknown = "send.unknown";
        /// MESH was asked, and has it.
        SendFound = "send.found";
        /// MESH was asked twice, and does not have it.
        SendNotFound = "send.not_found";
        /// MESH was asked, and has it more than once.
        SendMultiple = "send.multiple";
        /// MESH cannot be asked; the configured policy decided to send again.
        SendUnresolvedResend = "send.unresolved_resend";
        /// MESH cannot be asked; the configured policy decided to hold.
        SendUnresolvedHold = "send.unresolved_hold";
        /// The tries are used up.
        SendExhausted = "send.exhausted";
        /// The recipient's system took it from MESH.
        TransportCollected = "transport.collected";
        /// MESH could not deliver it.
        TransportUndelivered = "transport.undelivered";
        /// MESH does not know the id it once gave.
        TransportUnknown = "transport.unknown";
        /// The recipient's system acknowledged it.
        AckPositive = "ack.positive";
        /// The recipient's system refused it.
        AckNegative = "ack.negative";
        /// The practice does not know the patient.
        AckNotOurPatient = "ack.not_our_patient";
        /// The recipient filed it.
        GpFiled = "gp.filed";
        /// The recipient would not file it.
        GpRejected = "gp.rejected";
        /// The hold was lifted.
        Resumed = "hold.resumed";
        /// A person has it sent anew, in a series of its own.
        PersonResend = "person.resend";
        /// A person decided that it must not go.
        PersonSuppressed = "person.suppressed";
        /// A person told the practice that it was withdrawn.
        PersonToldPractice = "person.told_practice";
        /// A later version arrived.
        Superseded = "superseded";
        /// The source cancelled it.
        WithdrawReceived = "withdraw.received";
    }
}

impl CopyEvent {
    /// What this event does to a copy; `None` is a copy not made yet.
    ///
    /// ```
    /// use letter_delivery::{CopyEvent, CopyState, Position, Step};
    /// let sending = Some(Position::at(CopyState::Sending));
    /// let uncertain = Step::Moved(Position::at(CopyState::Uncertain));
    /// assert_eq!(CopyEvent::SendUnknown.step(sending), uncertain);
    /// ```
    pub fn step(self, from: Option<Position<CopyState>>) -> Step<CopyState> {
        let Some(from) = from else {
            return self.first();
        };
        match from.state {
            Routed | Rendered | Queued => self.before_sending(from.state),
            Sending => self.when_sending(),
            Uncertain => self.when_uncertain(),
            Accepted => self.when_accepted(),
            Collected => self.when_collected(),
            Acked => self.when_acked(),
            Filed => self.when_filed(),
            Held => self.when_held(from.resume),
            Rejected | Returned | Failed => self.when_work_list(from.state),
            WithdrawalDue => self.when_withdrawal_due(),
            Suppressed | Superseded | Withdrawn => self.when_ended(from.state),
        }
    }

    const fn first(self) -> Step<CopyState> {
        match self {
            Self::Routed => moved(Routed),
            _ => Step::NotAllowed,
        }
    }

    const fn before_sending(self, state: CopyState) -> Step<CopyState> {
        match (self, state) {
            (Self::Rendered, Routed) => moved(Rendered),
            (Self::RenderFailed, Routed) => held(Routed),
            (Self::Queued, Rendered) => moved(Queued),
            (Self::SendStarted, Queued) => moved(Sending),
            (Self::SendExhausted, Queued) => moved(Failed),
            (Self::Superseded, _) => moved(Superseded),
            (Self::WithdrawReceived, _) => moved(Withdrawn),
            (Self::PersonSuppressed, _) => moved(Suppressed),
            _ => Step::NotAllowed,
        }
    }

    const fn when_sending(self) -> Step<CopyState> {
        match self {
            Self::SendAccepted => moved(Accepted),
            Self::SendRefused => moved(Failed),
            Self::SendRetryable => moved(Queued),
            Self::SendUnknown => moved(Uncertain),
            Self::Superseded | Self::WithdrawReceived | Self::PersonSuppressed => Step::Kept,
            _ => self.proof_of_acceptance(),
        }
    }

    const fn when_uncertain(self) -> Step<CopyState> {
        match self {
            Self::SendFound | Self::SendMultiple => moved(Accepted),
            Self::SendNotFound | Self::SendUnresolvedResend => moved(Queued),
            Self::SendUnresolvedHold => held(Uncertain),
            Self::Superseded | Self::WithdrawReceived | Self::PersonSuppressed => Step::Kept,
            _ => self.proof_of_acceptance(),
        }
    }

    /// What MESH or the recipient says about a copy proves that MESH took it, whatever we know.
    const fn proof_of_acceptance(self) -> Step<CopyState> {
        match self {
            Self::TransportCollected => moved(Collected),
            Self::TransportUndelivered | Self::AckNotOurPatient => moved(Returned),
            Self::AckPositive => moved(Acked),
            Self::AckNegative | Self::GpRejected => moved(Rejected),
            Self::GpFiled => moved(Filed),
            _ => Step::NotAllowed,
        }
    }

    const fn when_accepted(self) -> Step<CopyState> {
        match self {
            Self::TransportUnknown | Self::Superseded | Self::PersonSuppressed => Step::Kept,
            Self::SendFound => Step::Repeated,
            Self::SendMultiple => Step::Kept,
            Self::WithdrawReceived => moved(WithdrawalDue),
            _ => self.proof_of_acceptance(),
        }
    }

    const fn when_collected(self) -> Step<CopyState> {
        match self {
            Self::TransportCollected => Step::Repeated,
            Self::TransportUnknown => Step::Repeated,
            Self::Superseded => Step::Kept,
            Self::WithdrawReceived => moved(WithdrawalDue),
            _ => self.proof_of_acceptance(),
        }
    }

    const fn when_acked(self) -> Step<CopyState> {
        match self {
            Self::TransportCollected | Self::AckPositive => Step::Repeated,
            Self::GpFiled => moved(Filed),
            Self::GpRejected => moved(Rejected),
            Self::Superseded => Step::Kept,
            Self::WithdrawReceived => moved(WithdrawalDue),
            Self::TransportUndelivered | Self::AckNegative | Self::AckNotOurPatient => {
                Step::Conflict
            }
            _ => Step::NotAllowed,
        }
    }

    const fn when_filed(self) -> Step<CopyState> {
        match self {
            Self::TransportCollected | Self::AckPositive | Self::GpFiled => Step::Repeated,
            Self::Superseded => Step::Kept,
            Self::WithdrawReceived => moved(WithdrawalDue),
            Self::TransportUndelivered
            | Self::AckNegative
            | Self::AckNotOurPatient
            | Self::GpRejected => Step::Conflict,
            _ => Step::NotAllowed,
        }
    }

    fn when_held(self, resume: Option<CopyState>) -> Step<CopyState> {
        let resume = resume.unwrap_or(Routed);
        match self {
            Self::Resumed => moved(resume),
            Self::PersonResend => moved(Routed),
            Self::PersonSuppressed => moved(Suppressed),
            Self::Superseded if resume == Uncertain => Step::Kept,
            Self::Superseded => moved(Superseded),
            Self::WithdrawReceived if resume == Uncertain => Step::Kept,
            Self::WithdrawReceived => moved(Withdrawn),
            Self::SendFound | Self::SendMultiple if resume == Uncertain => moved(Accepted),
            _ if resume == Uncertain => self.proof_of_acceptance(),
            _ => Step::NotAllowed,
        }
    }

    fn when_work_list(self, state: CopyState) -> Step<CopyState> {
        match (self, state) {
            (Self::PersonResend, _) => moved(Routed),
            (Self::PersonSuppressed, _) => moved(Suppressed),
            (Self::Superseded, Failed) => moved(Superseded),
            (Self::Superseded, _) => Step::Kept,
            (Self::WithdrawReceived, Rejected) => moved(WithdrawalDue),
            (Self::WithdrawReceived, _) => moved(Withdrawn),
            (Self::TransportUndelivered | Self::AckNotOurPatient, Returned)
            | (Self::AckNegative | Self::GpRejected, Rejected) => Step::Repeated,
            (Self::TransportCollected, Rejected) => Step::Repeated,
            // Tracking may lag behind the practice's "not our patient": never go backwards.
            (Self::TransportCollected, Returned) => Step::Kept,
            (_, Returned | Rejected) => self.proof_of_acceptance(),
            _ => Step::NotAllowed,
        }
    }

    const fn when_withdrawal_due(self) -> Step<CopyState> {
        match self {
            Self::PersonToldPractice => moved(Withdrawn),
            Self::WithdrawReceived => Step::Repeated,
            Self::TransportCollected
            | Self::AckPositive
            | Self::AckNegative
            | Self::AckNotOurPatient
            | Self::GpFiled
            | Self::GpRejected
            | Self::Superseded => Step::Kept,
            Self::TransportUndelivered => moved(Withdrawn),
            _ => Step::NotAllowed,
        }
    }

    /// An ended copy was never accepted, unless MESH says so after all: then a person must know.
    fn when_ended(self, state: CopyState) -> Step<CopyState> {
        match (self, state) {
            (Self::Superseded, Superseded) | (Self::WithdrawReceived, Withdrawn) => Step::Repeated,
            (Self::WithdrawReceived | Self::Superseded, _) => Step::Kept,
            _ => match self.proof_of_acceptance() {
                Step::Moved(_) => Step::Conflict,
                other => other,
            },
        }
    }
}

const fn moved(state: CopyState) -> Step<CopyState> {
    Step::Moved(Position::at(state))
}

const fn held(resume: CopyState) -> Step<CopyState> {
    Step::Moved(Position::held(Held, resume))
}
