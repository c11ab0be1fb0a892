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
}
