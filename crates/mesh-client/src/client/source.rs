use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use crate::{Credentials, Token, authorization};

pub(super) type Clock = Box<dyn Fn() -> DateTime<Utc> + Send + Sync>;
pub(super) type Nonces = Box<dyn Fn() -> String + Send + Sync>;

/// Gives every attempt its own token.
pub(super) struct TokenSource {
    credentials: Credentials,
    clock: Clock,
    nonces: NonceSource,
}

pub(super) enum NonceSource {
    /// One random nonce for the life of the client, and a count that rises with each request.
    Counted { nonce: String, count: AtomicU64 },
    /// A nonce per request from outside.
    Given(Nonces),
}

impl TokenSource {
    pub(super) fn new(credentials: Credentials, clock: Clock, nonces: NonceSource) -> Self {
        Self {
            credentials,
            clock,
            nonces,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    pub(super) fn next(&self) -> Token {
        let now = self.now();
        match &self.nonces {
            NonceSource::Counted { nonce, count } => {
                let count = count.fetch_add(1, Ordering::Relaxed);
                authorization(&self.credentials, nonce, count, now)
            }
            NonceSource::Given(nonces) => authorization(&self.credentials, &nonces(), 0, now),
        }
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the client is a shell; callers may set a clock"
)]
pub(super) fn system_clock() -> DateTime<Utc> {
    DateTime::<Utc>::from(std::time::SystemTime::now())
}

/// A random nonce in the form of a version 4 UUID; `None` when the system has no randomness.
pub(super) fn random_nonce() -> Option<String> {
    let mut random = [0_u8; 16];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut random).ok()?;
    let number = u128::from_be_bytes(random);
    let number = (number & !(0xF << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{number:032x}");
    let (a, rest) = hex.split_at_checked(8)?;
    let (b, rest) = rest.split_at_checked(4)?;
    let (c, rest) = rest.split_at_checked(4)?;
    let (d, e) = rest.split_at_checked(4)?;
    Some(format!("{a}-{b}-{c}-{d}-{e}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use nhs_types::MailboxId;

    fn credentials() -> Credentials {
        let mailbox = MailboxId::parse("X26ABC1").unwrap();
        Credentials::new(mailbox, Secret::new("canary"), Secret::new("canary"))
    }

    #[test]
    fn nonces_are_uuids_and_differ() {
        let (one, two) = (random_nonce().unwrap(), random_nonce().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert_eq!(
            one.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(matches!(one.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }

    #[test]
    fn counted_tokens_differ_within_a_minute() {
        let counted = NonceSource::Counted {
            nonce: "n".to_owned(),
            count: AtomicU64::new(0),
        };
        let at = "2026-05-04T13:05:00Z".parse().unwrap();
        let source = TokenSource::new(credentials(), Box::new(move || at), counted);
        assert_ne!(source.next().expose(), source.next().expose());
        assert!(
            source
                .next()
                .expose()
                .starts_with("NHSMESH X26ABC1:n:2:202605041305:")
        );
        assert!(!format!("{source:?}").contains("canary"));
    }
}
