use std::fmt;

use nhs_types::MailboxId;
use zeroize::Zeroizing;

/// A password or shared key: bytes that never show themselves and are wiped when dropped.
///
/// ```
/// use mesh_client::Secret;
/// let key = Secret::new("TestKey");
/// assert_eq!(format!("{key:?}"), "Secret([redacted])");
/// assert_eq!(key.expose(), b"TestKey");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// What a mailbox proves itself with, beside the client certificate.
#[derive(Clone)]
pub struct Credentials {
    mailbox: MailboxId,
    password: Secret,
    shared_key: Secret,
}

impl Secret {
    /// Takes the bytes over. A text stands for its UTF-8 bytes (mesh-api section 4).
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes, to be used where they are needed and nowhere else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// True when there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("mailbox", &self.mailbox)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// A mailbox with its own password and the shared key of the environment.
    pub fn new(mailbox: MailboxId, password: Secret, shared_key: Secret) -> Self {
        Self {
            mailbox,
            password,
            shared_key,
        }
    }

    /// The mailbox that acts.
    pub fn mailbox(&self) -> &MailboxId {
        &self.mailbox
    }

    pub(crate) fn password(&self) -> &Secret {
        &self.password
    }

    pub(crate) fn shared_key(&self) -> &Secret {
        &self.shared_key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_credentials_shows_the_mailbox_only() {
        let credentials = Credentials::new(
            MailboxId::parse("X26ABC1").unwrap(),
            Secret::new("canary-password"),
            Secret::new("canary-key"),
        );
        let shown = format!("{credentials:?}");
        assert!(shown.contains("X26ABC1"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
