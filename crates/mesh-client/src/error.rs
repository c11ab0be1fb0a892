use std::fmt;

use chrono::TimeDelta;
use nhs_types::Sensitive;

use crate::proto::{Damage, Problem};
use crate::{Disposition, ErrorCode, Misuse, Operation};

/// What the operations of this crate give.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation did not give what was asked for.
///
/// The texts hold neither secrets nor patient data: no token, password, subject, file name or
/// patient address, also where the service repeats them. What may be done next is told by
/// [`disposition`](Self::disposition).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call is wrong; nothing was sent.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// No connection came about; nothing was sent.
    #[error("{operation}: no connection to the service: {reason}")]
    Unreachable {
        /// What was attempted.
        operation: Operation,
        /// Why there is none.
        reason: String,
    },
    /// One side does not accept the other's certificate; nothing was taken.
    #[error("{operation}: {fault}")]
    Certificate {
        /// What was attempted.
        operation: Operation,
        /// Which side, and what to do.
        fault: CertificateFault,
    },
    /// The service answered, and not with success.
    #[error("{0}")]
    Answered(Box<Refusal>),
    /// The request was sent, at least in part, and its answer did not come or broke off.
    #[error("{operation}: the answer was lost: {reason}")]
    Lost {
        /// What was attempted.
        operation: Operation,
        /// How.
        reason: String,
    },
    /// The service answered with success, and what it answered cannot be used.
    #[error("{operation}: status {status}, but {damage}")]
    Unusable {
        /// What was attempted.
        operation: Operation,
        /// The status of the answer.
        status: u16,
        /// What is wrong with it.
        damage: Damage,
    },
}

/// Which certificate was not accepted, and what a person can do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// The service wants a client certificate and got none.
    #[error(
        "the service demands a client certificate: configure the certificate and key issued for \
         this environment"
    )]
    ClientMissing,
    /// The service does not accept ours.
    #[error(
        "the service refused the client certificate ({alert}): check that it was issued for this \
         environment and has not expired or been revoked{expired}"
    )]
    ClientRefused {
        /// The TLS alert, as the standard names it.
        alert: String,
        /// `; it expired at …`, or empty.
        expired: String,
    },
    /// We do not accept the service's.
    #[error(
        "the service's certificate is not acceptable ({reason}): check the address and the \
         trusted certificates of this environment"
    )]
    Server {
        /// What is wrong with it.
        reason: String,
    },
    /// Both sides have no protocol version or cipher in common.
    #[error("no TLS connection can be agreed with the service: {reason}")]
    NoAgreement {
        /// What the TLS library says.
        reason: String,
    },
}

/// An answer that is no success.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// What was attempted.
    pub operation: Operation,
    /// The HTTP status.
    pub status: u16,
    /// What the body says, as far as it could be read.
    pub problem: Problem,
    /// What may be done next.
    pub disposition: Disposition,
    /// The service's clock less ours, from the `Date` of the answer.
    pub clock_skew: Option<TimeDelta>,
    /// The first 2 kB of a body that is no JSON, as it came: it may repeat what was sent.
    pub text: Option<Sensitive<String>>,
}

/// A clock that is off by more than this is named in the text of a 403.
const SKEW_WORTH_TELLING: TimeDelta = TimeDelta::minutes(5);

impl Error {
    /// What the caller may do next.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Misuse(_) => Disposition::Misuse,
            Self::Unreachable { .. } => Disposition::Retry { after: None },
            Self::Certificate { .. } => Disposition::Refused,
            Self::Answered(refusal) => refusal.disposition,
            Self::Lost { operation, .. } => operation.when_unknown(),
            Self::Unusable {
                operation, damage, ..
            } if damage.is_lasting() => match operation {
                Operation::Send => Disposition::Uncertain,
                _ => Disposition::Refused,
            },
            Self::Unusable { operation, .. } => operation.when_unknown(),
        }
    }

    /// The HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(refusal) => Some(refusal.status),
            Self::Unusable { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The service's error code.
    pub fn code(&self) -> Option<&ErrorCode> {
        self.refusal()?.problem.code.as_ref()
    }

    /// The step that failed, in the service's words.
    pub fn event(&self) -> Option<&str> {
        self.refusal()?.problem.event.as_deref()
    }

    /// The answer, when there was one that is no success.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Answered(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// True when the fault lies in the set-up of the mailbox or the connection (certificate,
    /// password, shared key, clock), so that every other request will fail alike: stop the
    /// mailbox and call a person, the message at hand is not to blame.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Certificate { .. } | Self::Misuse(Misuse::Setting { .. }) => true,
            Self::Answered(refusal) => matches!(refusal.status, 401 | 403 | 407),
            _ => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: the service answered {}",
            self.operation, self.status
        )?;
        if let Some(code) = &self.problem.code {
            write!(f, ", code {code}")?;
            if let Some(meaning) = code.meaning() {
                write!(f, " ({meaning})")?;
            }
        }
        if let Some(event) = &self.problem.event {
            write!(f, ", event {event}")?;
        }
        if let Some(description) = &self.problem.description {
            write!(f, ": {description}")?;
        }
        if self.status == 403 {
            self.fmt_forbidden(f)
        } else {
            Ok(())
        }
    }
}

impl Refusal {
    fn fmt_forbidden(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("; check mailbox id, mailbox password, shared key and clock")?;
        match self.clock_skew {
            Some(skew) if skew.abs() > SKEW_WORTH_TELLING => {
                let seconds = skew.num_seconds();
                let way = if seconds > 0 { "behind" } else { "ahead of" };
                write!(f, ": this clock is {} s {way} the service's", seconds.abs())
            }
            _ => Ok(()),
        }
    }
}
