//! The life of one copy: one recipient, one road.

use crate::letter::events;
use crate::state::CopyState::{self, *};
use crate::step::{Position, Step};

events! {
    /// What can happen to a copy (audit-and-delivery facts 3.2, design section 9).
    CopyEvent {
        /// Recipient, mailbox, workflow and profile were chosen.
        Routed = "routed";
        /// No practice, or a doubt about it, when it was routed anew.
        RouteNone = "route.none";
        /// More than one possible destination, when it was routed anew.
        RouteAmbiguous = "route.ambiguous";
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
        /// MESH was asked, and has had it since before the store was restored (facts 9, R6).
        SendFoundLate = "send.found_late";
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
        /// The store was restored from a backup: it may have left since.
        Restored = "restored";
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
        /// A person has it routed anew, perhaps to a practice they name, in a series of its own.
        PersonReroute = "person.reroute";
        /// A rule has it routed anew, in a series of its own.
        AutoReroute = "auto.reroute";
        /// A person decided that it must not go.
        PersonSuppressed = "person.suppressed";
        /// A person takes it back: it was signed in error, or shares a fault.
        PersonWithdrawn = "person.withdrawn";
        /// A person looked into what they were told about it.
        PersonResolved = "person.resolved";
        /// A person told the practice that it was withdrawn.
        PersonToldPractice = "person.told_practice";
        /// A later version arrived.
        Superseded = "superseded";
        /// The source cancelled it.
        WithdrawReceived = "withdraw.received";
        /// A person has it go by paper: a paper copy is queued, an electronic one stays as it is
        /// and a paper copy goes beside it.
        PersonPaper = "person.paper";
        /// A rule has it go by paper, as [`Self::PersonPaper`].
        AutoPaper = "auto.paper";
        /// It was handed to the one who prints and posts.
        PaperSent = "paper.sent";
        /// Whoever prints confirmed that it was posted.
        PaperConfirmed = "paper.confirmed";
        /// The post brought it back.
        PaperReturned = "paper.returned";
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
        if self == Self::PersonResolved {
            return Step::Kept;
        }
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
            PaperQueued | PaperSent | PaperConfirmed => self.when_paper(from.state),
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
            (Self::Routed, Routed) => Step::Kept,
            (Self::RenderFailed | Self::RouteNone | Self::RouteAmbiguous, Routed) => held(Routed),
            (Self::Queued, Rendered) => moved(Queued),
            (Self::SendStarted, Queued) => moved(Sending),
            (Self::Restored, Queued) => moved(Uncertain),
            (Self::SendExhausted, Queued) => moved(Failed),
            (Self::PersonPaper | Self::AutoPaper, Rendered) => moved(PaperQueued),
            (Self::PersonPaper | Self::AutoPaper, _) => Step::Kept,
            (Self::Superseded, _) => moved(Superseded),
            (Self::WithdrawReceived | Self::PersonWithdrawn, _) => moved(Withdrawn),
            (Self::PersonSuppressed, _) => moved(Suppressed),
            _ => Step::NotAllowed,
        }
    }

    const fn when_sending(self) -> Step<CopyState> {
        match self {
            Self::SendAccepted => moved(Accepted),
            Self::SendRefused => moved(Failed),
            Self::SendRetryable => moved(Queued),
            Self::SendUnknown | Self::Restored => moved(Uncertain),
            _ if self.waits_for_the_answer() => Step::Kept,
            _ => self.proof_of_acceptance(),
        }
    }

    const fn when_uncertain(self) -> Step<CopyState> {
        match self {
            Self::SendFound | Self::SendFoundLate | Self::SendMultiple => moved(Accepted),
            Self::SendNotFound | Self::SendUnresolvedResend => moved(Queued),
            Self::SendUnresolvedHold => held(Uncertain),
            _ if self.waits_for_the_answer() => Step::Kept,
            _ => self.proof_of_acceptance(),
        }
    }

    /// Decisions that MESH's answer must come first for, and paper that goes beside it.
    const fn waits_for_the_answer(self) -> bool {
        matches!(
            self,
            Self::Superseded
                | Self::WithdrawReceived
                | Self::PersonWithdrawn
                | Self::PersonSuppressed
                | Self::PersonPaper
                | Self::AutoPaper
        )
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
            Self::SendFound | Self::SendFoundLate => Step::Repeated,
            Self::SendMultiple | Self::PersonPaper | Self::AutoPaper => Step::Kept,
            Self::WithdrawReceived | Self::PersonWithdrawn => moved(WithdrawalDue),
            _ => self.proof_of_acceptance(),
        }
    }

    const fn when_collected(self) -> Step<CopyState> {
        match self {
            Self::TransportCollected => Step::Repeated,
            Self::TransportUnknown => Step::Repeated,
            Self::Superseded | Self::PersonPaper | Self::AutoPaper => Step::Kept,
            Self::WithdrawReceived | Self::PersonWithdrawn => moved(WithdrawalDue),
            _ => self.proof_of_acceptance(),
        }
    }

    const fn when_acked(self) -> Step<CopyState> {
        match self {
            Self::TransportCollected | Self::AckPositive => Step::Repeated,
            Self::GpFiled => moved(Filed),
            Self::GpRejected => moved(Rejected),
            Self::Superseded => Step::Kept,
            Self::WithdrawReceived | Self::PersonWithdrawn => moved(WithdrawalDue),
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
            Self::WithdrawReceived | Self::PersonWithdrawn => moved(WithdrawalDue),
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
            Self::PersonReroute | Self::AutoReroute if resume != Uncertain => moved(Routed),
            Self::PersonSuppressed => moved(Suppressed),
            Self::PersonPaper | Self::AutoPaper => Step::Kept,
            _ if resume == Uncertain && self.waits_for_the_answer() => Step::Kept,
            Self::Superseded => moved(Superseded),
            Self::WithdrawReceived | Self::PersonWithdrawn => moved(Withdrawn),
            Self::SendFound | Self::SendFoundLate | Self::SendMultiple if resume == Uncertain => {
                moved(Accepted)
            }
            _ if resume == Uncertain => self.proof_of_acceptance(),
            _ => Step::NotAllowed,
        }
    }

    fn when_work_list(self, state: CopyState) -> Step<CopyState> {
        match (self, state) {
            (Self::PersonResend | Self::PersonReroute | Self::AutoReroute, _) => moved(Routed),
            (Self::PersonPaper | Self::AutoPaper, _) => Step::Kept,
            (Self::PaperReturned, Returned) => Step::Repeated,
            (Self::PersonSuppressed, _) => moved(Suppressed),
            (Self::Superseded, Failed) => moved(Superseded),
            (Self::Superseded, _) => Step::Kept,
            (Self::WithdrawReceived | Self::PersonWithdrawn, Rejected) => moved(WithdrawalDue),
            (Self::WithdrawReceived | Self::PersonWithdrawn, _) => moved(Withdrawn),
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
            Self::WithdrawReceived | Self::PersonWithdrawn => Step::Repeated,
            Self::TransportCollected
            | Self::AckPositive
            | Self::AckNegative
            | Self::AckNotOurPatient
            | Self::GpFiled
            | Self::GpRejected
            | Self::PaperConfirmed
            | Self::Superseded => Step::Kept,
            Self::TransportUndelivered | Self::PaperReturned => moved(Withdrawn),
            _ => Step::NotAllowed,
        }
    }

    /// Paper is a copy of its own (design section 9).
    const fn when_paper(self, state: CopyState) -> Step<CopyState> {
        match (self, state) {
            (Self::PaperSent, PaperQueued) => moved(PaperSent),
            (Self::PaperConfirmed, PaperSent) => moved(PaperConfirmed),
            (Self::PaperReturned, PaperSent) => moved(Returned),
            (Self::PaperSent, _) | (Self::PaperConfirmed, PaperConfirmed) => Step::Repeated,
            (Self::PaperReturned, PaperConfirmed) => Step::Conflict,
            (Self::PersonSuppressed, PaperQueued) => moved(Suppressed),
            (Self::Superseded, PaperQueued) => moved(Superseded),
            (Self::WithdrawReceived | Self::PersonWithdrawn, PaperQueued) => moved(Withdrawn),
            (Self::WithdrawReceived | Self::PersonWithdrawn, _) => moved(WithdrawalDue),
            (Self::PersonSuppressed, PaperSent) | (Self::Superseded, _) => Step::Kept,
            _ => Step::NotAllowed,
        }
    }

    /// An ended copy was never accepted, unless MESH says so after all: then a person must know.
    fn when_ended(self, state: CopyState) -> Step<CopyState> {
        match (self, state) {
            (Self::Superseded, Superseded) | (Self::WithdrawReceived, Withdrawn) => Step::Repeated,
            (Self::PersonWithdrawn, Withdrawn) => Step::Repeated,
            (Self::WithdrawReceived | Self::PersonWithdrawn | Self::Superseded, _) => Step::Kept,
            (Self::PaperSent | Self::PaperConfirmed | Self::PaperReturned, _) => Step::Conflict,
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
