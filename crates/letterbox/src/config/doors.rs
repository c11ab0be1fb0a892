use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// `[[trust.http]]`: a door for hand-over and questions over HTTP.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpSection {
    /// The source's name.
    pub(crate) source: String,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The token that clients send, in a file.
    pub(crate) token_file: Option<PathBuf>,
    /// The door's certificate, with those that sign it.
    pub(crate) certificate: Option<PathBuf>,
    /// Its key.
    pub(crate) key: Option<PathBuf>,
    /// The authority of the clients' certificates.
    pub(crate) client_ca: Option<PathBuf>,
}

impl HttpSection {
    pub(super) fn resolve(&mut self, base: &Path) {
        let paths = [
            &mut self.token_file,
            &mut self.certificate,
            &mut self.key,
            &mut self.client_ca,
        ];
        for path in paths.into_iter().flatten() {
            *path = base.join(&*path);
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let listen = self.listen;
        let tls = self.certificate.is_some();
        let wrong = if tls != self.key.is_some() {
            "needs certificate and key, or neither"
        } else if self.client_ca.is_some() && !tls {
            "needs certificate and key for client_ca"
        } else if self.token_file.is_none() && self.client_ca.is_none() {
            "lets everybody in: name a token_file, a client_ca, or both"
        } else if !tls && !listen.ip().is_loopback() {
            "would show letters to the network: give certificate and key, or listen on 127.0.0.1"
        } else {
            return Ok(());
        };
        Err(format!("the [[trust.http]] on {listen} {wrong}"))
    }
}

/// `[[trust.feed]]`: who is told what became of letters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeedSection {
    /// Its name, under which the store knows how far it has come.
    pub(crate) name: String,
    /// Only letters of these sources.
    #[serde(default)]
    pub(crate) sources: Vec<String>,
    /// `first` or `now`: where a new feed begins.
    #[serde(default)]
    pub(crate) begin: BeginChoice,
    /// A folder that gets a file for each outcome.
    pub(crate) folder: Option<PathBuf>,
    /// An HL7 v2 listener.
    pub(crate) mllp: Option<SocketAddr>,
    /// An HTTP address.
    pub(crate) webhook: Option<String>,
    /// The secret shared with it, in a file.
    pub(crate) secret_file: Option<PathBuf>,
    /// The authority of its certificate.
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BeginChoice {
    #[default]
    First,
    Now,
}

impl FeedSection {
    pub(super) fn resolve(&mut self, base: &Path) {
        let paths = [&mut self.folder, &mut self.secret_file, &mut self.ca];
        for path in paths.into_iter().flatten() {
            *path = base.join(&*path);
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let ways = [
            self.folder.is_some(),
            self.mllp.is_some(),
            self.webhook.is_some(),
        ];
        let wrong = if ways.into_iter().filter(|way| *way).count() != 1 {
            "needs exactly one of folder, mllp and webhook"
        } else if self.webhook.is_some() != self.secret_file.is_some() {
            "needs secret_file with webhook, and only there"
        } else if self.ca.is_some() && self.webhook.is_none() {
            "needs ca only with webhook"
        } else {
            return Ok(());
        };
        Err(format!("the [[trust.feed]] {} {wrong}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str]) -> Result<(), String> {
        let text = format!("source = \"tie\"\n{}", lines.join("\n"));
        toml::from_str::<HttpSection>(&text).unwrap().check()
    }

    const HERE: &str = "listen = \"127.0.0.1:8080\"";
    const ABROAD: &str = "listen = \"10.0.0.5:8443\"";
    const TOKEN: &str = "token_file = \"t\"";
    const TLS: &str = "certificate = \"c\"\nkey = \"k\"";
    const CLIENTS: &str = "client_ca = \"ca\"";

    #[test]
    fn a_door_has_a_check_and_is_encrypted_beyond_loopback() {
        assert!(check(&[HERE, TOKEN]).is_ok());
        assert!(check(&["listen = \"[::1]:8080\"", TOKEN]).is_ok());
        assert!(check(&[ABROAD, TLS, TOKEN]).is_ok());
        assert!(check(&[ABROAD, TLS, CLIENTS]).is_ok());
        for (lines, says) in [
            (&[HERE][..], "lets everybody in"),
            (&[ABROAD, TLS], "lets everybody in"),
            (&[ABROAD, TOKEN], "network"),
            (&["listen = \"0.0.0.0:8443\"", TOKEN], "network"),
            (&[HERE, TOKEN, CLIENTS], "client_ca"),
            (&[HERE, TOKEN, "key = \"k\""], "neither"),
            (&[HERE, TOKEN, "certificate = \"c\""], "neither"),
        ] {
            let why = check(lines).unwrap_err();
            assert!(why.contains(says), "{lines:?}: {why}");
        }
    }

    #[test]
    fn a_feed_has_one_receiver() {
        let check = |lines: &str| {
            let text = format!("name = \"epr\"\n{lines}");
            toml::from_str::<FeedSection>(&text).unwrap().check()
        };
        assert!(check("folder = \"outcomes\"\nsources = [\"epr\"]\nbegin = \"now\"").is_ok());
        assert!(check("mllp = \"127.0.0.1:2576\"").is_ok());
        assert!(check("webhook = \"https://x\"\nsecret_file = \"s\"\nca = \"c\"").is_ok());
        for (lines, says) in [
            ("", "exactly one"),
            ("folder = \"x\"\nmllp = \"127.0.0.1:1\"", "exactly one"),
            ("webhook = \"https://x\"", "secret_file"),
            ("folder = \"x\"\nsecret_file = \"s\"", "secret_file"),
            ("folder = \"x\"\nca = \"c\"", "ca only"),
        ] {
            let why = check(lines).unwrap_err();
            assert!(why.contains(says) && why.contains("epr"), "{lines}: {why}");
        }
    }
}
