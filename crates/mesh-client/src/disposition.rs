use std::time::Duration;

/// What a caller may do after a failure. Exhaustive on purpose: every caller must know all four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a caller must decide each of the four"
)]
pub enum Disposition {
    /// The request had no effect, or may be repeated without harm: try again, with a new token,
    /// not before `after` when the service named a time.
    Retry {
        /// How long the service asked to wait (`Retry-After`, at most an hour).
        after: Option<Duration>,
    },
    /// The answer is no, and will be no again until someone changes something.
    Refused,
    /// The service may have taken the message. Ask by local id before sending again.
    Uncertain,
    /// The call itself is wrong, and nothing left this machine.
    Misuse,
}

/// Which operation of the service a request or an error belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// `POST /messageexchange/{mailbox}`
    Handshake,
    /// `POST …/outbox`
    Send,
    /// `GET …/inbox`
    Inbox,
    /// `GET …/inbox/{id}` and its further chunks
    Download,
    /// `PUT …/inbox/{id}/status/acknowledged`
    Acknowledge,
    /// `GET …/outbox/tracking?messageID={id}`
    Track,
    /// `GET …/outbox/tracking/{local id}`
    TrackLocal,
    /// `GET …/endpointlookup/{ods code}/{workflow}`
    Lookup,
}

impl Operation {
    /// The operation as a word of an error text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Send => "send",
            Self::Inbox => "inbox",
            Self::Download => "download",
            Self::Acknowledge => "acknowledge",
            Self::Track => "track",
            Self::TrackLocal => "track by local id",
            Self::Lookup => "endpoint lookup",
        }
    }

    /// What to do when the request may have been received and no usable answer came back.
    pub const fn when_unknown(self) -> Disposition {
        match self {
            Self::Send => Disposition::Uncertain,
            _ => Disposition::Retry { after: None },
        }
    }

    /// What to do after an answer with a status that is no success (mesh-api section 17).
    ///
    /// On a first send only 429 says that the message was not taken and may be tried again; a
    /// gateway's 408, 425 or 5xx says nothing about the service behind it (design rule 2).
    ///
    /// ```
    /// use mesh_client::{Disposition, Operation};
    /// assert_eq!(Operation::Send.after_status(503, None), Disposition::Uncertain);
    /// assert_eq!(Operation::Inbox.after_status(503, None), Disposition::Retry { after: None });
    /// assert_eq!(Operation::Send.after_status(417, None), Disposition::Refused);
    /// ```
    pub const fn after_status(self, status: u16, after: Option<Duration>) -> Disposition {
        match (self, status) {
            (_, 429) => Disposition::Retry { after },
            (Self::Send, 400..=407 | 409..=424 | 426..=499) => Disposition::Refused,
            (Self::Send, _) => Disposition::Uncertain,
            (_, 408 | 425 | 500..=599) => Disposition::Retry { after },
            _ => Disposition::Refused,
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_is_retried_after_429_only() {
        for status in 100..=599 {
            let disposition = Operation::Send.after_status(status, None);
            let retry = matches!(disposition, Disposition::Retry { .. });
            assert_eq!(retry, status == 429, "{status} {disposition:?}");
        }
    }

    #[test]
    fn nothing_but_a_send_is_ever_uncertain() {
        for status in 100..=599 {
            assert_ne!(
                Operation::Acknowledge.after_status(status, None),
                Disposition::Uncertain
            );
        }
        assert_eq!(Operation::Send.when_unknown(), Disposition::Uncertain);
        assert_eq!(
            Operation::Track.when_unknown(),
            Disposition::Retry { after: None }
        );
    }

    #[test]
    fn retry_after_is_handed_on() {
        let after = Some(Duration::from_secs(7));
        assert_eq!(
            Operation::Inbox.after_status(503, after),
            Disposition::Retry { after }
        );
        assert_eq!(
            Operation::Send.after_status(429, after),
            Disposition::Retry { after }
        );
    }
}
