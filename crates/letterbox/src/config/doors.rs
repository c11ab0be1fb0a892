use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nhs_types::WorkflowId;
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

    pub(crate) fn way(&self) -> Way<'_> {
        Way {
            folder: self.folder.as_deref(),
            mllp: self.mllp,
            webhook: self.webhook.as_deref(),
            secret_file: self.secret_file.as_deref(),
            ca: self.ca.as_deref(),
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let wrong = |why| format!("the [[trust.feed]] {} {why}", self.name);
        self.way().check().map_err(wrong)
    }
}

/// `[[trust.inbound]]`: which messages of the mailbox are ours, and who gets them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InboundSection {
    /// The workflows that are ours.
    pub(crate) workflows: Vec<WorkflowId>,
    /// `handed-over` or `stored`: when MESH is told that we have a message.
    #[serde(default)]
    pub(crate) acknowledge: AcknowledgeChoice,
    /// A folder that gets the messages.
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
#[serde(rename_all = "kebab-case")]
pub(crate) enum AcknowledgeChoice {
    #[default]
    HandedOver,
    Stored,
}

/// Who gets something, in the members that feeds and inbound messages share.
pub(crate) struct Way<'a> {
    pub(crate) folder: Option<&'a Path>,
    pub(crate) mllp: Option<SocketAddr>,
    pub(crate) webhook: Option<&'a str>,
    pub(crate) secret_file: Option<&'a Path>,
    pub(crate) ca: Option<&'a Path>,
}

impl Way<'_> {
    fn check(&self) -> Result<(), &'static str> {
        let ways = [
            self.folder.is_some(),
            self.mllp.is_some(),
            self.webhook.is_some(),
        ];
        if ways.into_iter().filter(|way| *way).count() != 1 {
            Err("needs exactly one of folder, mllp and webhook")
        } else if self.webhook.is_some() != self.secret_file.is_some() {
            Err("needs secret_file with webhook, and only there")
        } else if self.ca.is_some() && self.webhook.is_none() {
            Err("needs ca only with webhook")
        } else {
            Ok(())
        }
    }
}

impl InboundSection {
    pub(super) fn resolve(&mut self, base: &Path) {
        let paths = [&mut self.folder, &mut self.secret_file, &mut self.ca];
        for path in paths.into_iter().flatten() {
            *path = base.join(&*path);
        }
    }

    pub(crate) fn way(&self) -> Way<'_> {
        Way {
            folder: self.folder.as_deref(),
            mllp: self.mllp,
            webhook: self.webhook.as_deref(),
            secret_file: self.secret_file.as_deref(),
            ca: self.ca.as_deref(),
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let Some(first) = self.workflows.first() else {
            return Err("a [[trust.inbound]] names no workflows".to_owned());
        };
        let wrong = |why| format!("the [[trust.inbound]] of {first} {why}");
        self.way().check().map_err(wrong)
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

    #[test]
    fn an_inbound_route_has_workflows_and_one_receiver() {
        let check = |text: &str| toml::from_str::<InboundSection>(text).unwrap().check();
        let workflows = "workflows = [\"TOC_DISCH_DMS\"]";
        assert!(
            check(&format!(
                "{workflows}\nfolder = \"x\"\nacknowledge = \"stored\""
            ))
            .is_ok()
        );
        assert!(
            check("workflows = []\nfolder = \"x\"")
                .unwrap_err()
                .contains("no workflows")
        );
        let why = check(workflows).unwrap_err();
        assert!(why.contains("TOC_DISCH_DMS needs exactly one"), "{why}");
        let wrong = format!("{workflows}\nfolder = \"x\"\nacknowledge = \"now\"");
        assert!(toml::from_str::<InboundSection>(&wrong).is_err());
    }
}
