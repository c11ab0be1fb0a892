//! Who does something: this software, or a person.

use std::fmt;

use audit_core::StreamKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SERVICE: &str = "svc:";
const USER: &str = "user:";

/// Who acts: `svc:<name>`, or `user:<pseudonym>` of the account that the operating system, or an
/// identity provider, authenticated. Never a name that somebody typed (design section 5, rule 14).
///
/// A person's pseudonym is made by [`TrustKeys::account`](crate::TrustKeys::account).
///
/// ```
/// use audit_core::PseudonymKey;
/// use letter_delivery::{Actor, TrustKeys};
/// use nhs_types::OdsCode;
///
/// let key = |byte| PseudonymKey::new([byte; 32]); // secrets, in earnest
/// let keys = TrustKeys::new(OdsCode::parse("RZZ")?, key(1), key(2), key(3));
/// let person = keys.account("unix:1001");
/// assert!(person.is_person());
/// assert_ne!(person, keys.account("unix:1002"));
/// assert!(!Actor::SERVICE.is_person());
/// assert_eq!(Actor::SERVICE.to_string(), "svc:letterbox");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(Who);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Service,
    User(StreamKey),
}

impl Actor {
    /// This software, when no person decides.
    pub const SERVICE: Self = Self(Who::Service);

    pub(crate) const fn user(pseudonym: StreamKey) -> Self {
        Self(Who::User(pseudonym))
    }

    /// Whether it is a person.
    pub const fn is_person(&self) -> bool {
        matches!(self.0, Who::User(_))
    }

    /// Reads the text of an event's `actor`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(USER) {
            Some(pseudonym) => StreamKey::parse(pseudonym).ok().map(Self::user),
            None => text.starts_with(SERVICE).then_some(Self::SERVICE),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Who::Service => write!(f, "{SERVICE}letterbox"),
            Who::User(pseudonym) => write!(f, "{USER}{pseudonym}"),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("no actor"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_goes_round() {
        let person = Actor::user(StreamKey::from_bytes([0xEC; 16]));
        for actor in [person, Actor::SERVICE] {
            assert_eq!(Actor::parse(&actor.to_string()), Some(actor));
        }
        assert_eq!(Actor::parse("user:Jane"), None, "a name is no account");
        assert_eq!(Actor::parse("jane"), None);
    }
}
