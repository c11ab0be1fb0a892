use std::fmt;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Credentials;

/// The value of one `Authorization` header, good for one request within two hours.
///
/// It never shows itself; a second use of the same token is refused by the service, so each
/// attempt of each request builds its own (mesh-api section 4).
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

/// Builds the token for one request.
///
/// `nonce` is any text without a colon, a UUID by custom. The pair of `nonce` and `count` must
/// not be used twice within the same minute.
///
/// ```
/// use mesh_client::{authorization, Credentials, Secret};
/// use nhs_types::MailboxId;
///
/// let credentials = Credentials::new(
///     MailboxId::parse("X26ABC1").unwrap(),
///     Secret::new("password"),
///     Secret::new("TestKey"),
/// );
/// let at = "2026-05-04T13:05:30Z".parse().unwrap();
/// let token = authorization(&credentials, "00000000-0000-4000-8000-000000000001", 0, at);
/// assert!(token.expose().starts_with("NHSMESH X26ABC1:00000000-0000-4000-8000-000000000001:0:202605041305:"));
/// assert_eq!(format!("{token:?}"), "Token([redacted])");
/// ```
pub fn authorization(
    credentials: &Credentials,
    nonce: &str,
    count: u64,
    at: DateTime<Utc>,
) -> Token {
    let mailbox = credentials.mailbox().as_str();
    let stamp = at.format("%Y%m%d%H%M").to_string();
    let hash = hash(credentials, nonce, count, &stamp);
    Token(Zeroizing::new(format!(
        "{SCHEME} {mailbox}:{nonce}:{count}:{stamp}:{hash}"
    )))
}

const SCHEME: &str = "NHSMESH";

/// The password stands between count and time in what is hashed, and is absent from the header.
fn hash(credentials: &Credentials, nonce: &str, count: u64, stamp: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(credentials.shared_key().expose()) else {
        // HMAC takes a key of any length (RFC 2104), so this arm is never reached.
        return String::new();
    };
    mac.update(format!("{}:{nonce}:{count}:", credentials.mailbox()).as_bytes());
    mac.update(credentials.password().expose());
    mac.update(format!(":{stamp}").as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

impl Token {
    /// The header value, to be put on the wire and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use nhs_types::MailboxId;

    const ONE: &str = "00000000-0000-4000-8000-000000000001";

    fn token(who: (&str, &str, &[u8]), nonce: &str, count: u64, at: &str) -> String {
        let (mailbox, password, key) = who;
        let credentials = Credentials::new(
            MailboxId::parse(mailbox).unwrap(),
            Secret::new(password),
            Secret::new(key),
        );
        authorization(&credentials, nonce, count, at.parse().unwrap())
            .expose()
            .to_owned()
    }

    #[test]
    fn vectors_of_mesh_api_section_4() {
        let x26: (&str, &str, &[u8]) = ("X26ABC1", "password", b"TestKey");
        let accent = ("X26ABC1", "password", "TestKéy".as_bytes());
        let trust: (&str, &str, &[u8]) = ("RT9OT001", "trust:pass word&1", b"BackBone");
        let practice: (&str, &str, &[u8]) = ("YGM24GP1", "gp-pw-1", b"Banana");
        let long: (&str, &str, &[u8]) =
            ("X26HC005", "p%^$!_longer-PASSWORD 123", &[0x00, 0x7f, 0x10]);
        let trust_nonce = "73eefd69-811f-44d0-81f8-a54ff352a991";
        let practice_nonce = "bd0e2bd5-218e-41d0-83a9-73fdec414803";
        let long_nonce = "C1F2DF9C-FE9E-4D11-BA78-49A8BC705EB4";
        let vectors = [
            (
                token(x26, ONE, 0, "2026-05-04T13:05:59Z"),
                "NHSMESH X26ABC1:00000000-0000-4000-8000-000000000001:0:202605041305:baf741cb20617c1d28d9af4dbb648096a707767234d9820580e649ce236fb83c",
            ),
            (
                token(x26, ONE, 1, "2026-05-04T13:05:00Z"),
                "NHSMESH X26ABC1:00000000-0000-4000-8000-000000000001:1:202605041305:6a0798e93a6cb5a424858dc339a469b16075069bb03ccca2903ffba7e5a34668",
            ),
            (
                token(trust, trust_nonce, 0, "2026-12-31T23:59:00Z"),
                "NHSMESH RT9OT001:73eefd69-811f-44d0-81f8-a54ff352a991:0:202612312359:fef60935226d1717e73c657a7c57fb014126932fe3d6e808a2598a801afc4a4c",
            ),
            (
                token(practice, practice_nonce, 7, "2026-03-29T00:30:00Z"),
                "NHSMESH YGM24GP1:bd0e2bd5-218e-41d0-83a9-73fdec414803:7:202603290030:7f5c3b85b3fcc941e5a15cd38a81c31f7af0a0eda36bd72dc3e2b2b97f3304a0",
            ),
            (
                token(long, long_nonce, 12345, "2024-02-29T00:00:00Z"),
                "NHSMESH X26HC005:C1F2DF9C-FE9E-4D11-BA78-49A8BC705EB4:12345:202402290000:da9d5b3c0760a3e88478528df4f4d6fc3dda03701339aea0a213f973de76708c",
            ),
            (
                token(accent, ONE, 0, "2026-05-04T13:05:00Z"),
                "NHSMESH X26ABC1:00000000-0000-4000-8000-000000000001:0:202605041305:1e77c79c3cb270079593e2bb610504cd4217416e2244ca025a98162f7cb59199",
            ),
        ];
        for (number, (built, expected)) in vectors.iter().enumerate() {
            assert_eq!(built, expected, "vector {}", number + 1);
        }
    }
}
