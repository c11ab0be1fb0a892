//! A witness, asked over HTTP (C2SP tlog-witness).

use std::fmt;
use std::time::Duration;

use reqwest::Url;

use crate::feed::{WebhookError, address, http_client};

/// A witness' address: it is told of each checkpoint, and answers with its cosignature.
#[derive(Clone)]
pub struct WitnessAddress {
    url: Url,
    http: reqwest::Client,
}

/// The longest answer that is read, in bytes: a few signature lines.
const ANSWER_BYTES_MAX: usize = 65_536;

/// How long a witness may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

impl WitnessAddress {
    /// The witness below an address, encrypted unless it is on this machine, with the CA that its
    /// certificate must lead to.
    ///
    /// # Errors
    ///
    /// [`WebhookError`], by what has to be put right.
    pub fn new(prefix: &str, ca: Option<&[u8]>) -> Result<Self, WebhookError> {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let (url, roots) = address(&format!("{prefix}/add-checkpoint"), ca)?;
        let http = http_client(roots).ok_or(WebhookError::Client)?;
        Ok(Self { url, http })
    }

    /// Sends a request and gives the status and the text of the answer, which
    /// [`audit_core::read_cosigned`] reads.
    ///
    /// # Errors
    ///
    /// In words, when there was no answer that can be read.
    pub async fn ask(&self, request: String) -> Result<(u16, String), String> {
        let request = self
            .http
            .post(self.url.clone())
            .timeout(ANSWER_WITHIN)
            .body(request);
        // The error may repeat the address, and an address may hold a secret.
        let unreachable = |_| "it could not be reached".to_owned();
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err("its answer is too long".to_owned());
            }
        }
        let text = String::from_utf8(body).map_err(|_| "its answer is no text".to_owned())?;
        Ok((status, text))
    }
}

impl fmt::Debug for WitnessAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WitnessAddress")
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers one request with this, and gives back what it was asked.
    async fn answered(answer: &str) -> (Result<(u16, String), String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = answer.to_owned();
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"the checkpoint\n") {
                assert!(socket.read_buf(&mut asked).await.unwrap() > 0);
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        let witness = WitnessAddress::new(&format!("http://127.0.0.1:{port}/w/"), None).unwrap();
        let found = witness.ask("the checkpoint\n".to_owned()).await;
        (found, server.await.unwrap())
    }

    #[tokio::test]
    async fn a_witness_is_asked_below_its_prefix_and_its_answer_read() {
        let answer = "HTTP/1.1 409 Conflict\r\ncontent-length: 3\r\nconnection: close\r\n\r\n17\n";
        let (found, asked) = answered(answer).await;
        assert_eq!(found, Ok((409, "17\n".to_owned())));
        assert!(
            asked.starts_with("POST /w/add-checkpoint HTTP/1.1\r\n"),
            "{asked}"
        );
    }

    #[tokio::test]
    async fn limit_answer_of_64_kib_and_one_past_it() {
        for (bytes, is_read) in [(ANSWER_BYTES_MAX, true), (ANSWER_BYTES_MAX + 1, false)] {
            let body = "x".repeat(bytes);
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {bytes}\r\nconnection: close\r\n\r\n{body}"
            );
            assert_eq!(answered(&answer).await.0.is_ok(), is_read, "{bytes}");
        }
    }

    #[tokio::test]
    async fn a_witness_that_is_not_there_is_told_without_its_address() {
        let witness = WitnessAddress::new("http://127.0.0.1:1/secret", None).unwrap();
        let error = witness.ask(String::new()).await.unwrap_err();
        assert_eq!(error, "it could not be reached");
        assert!(!format!("{witness:?}").contains("secret"));
    }

    #[test]
    fn security_v12_only_encrypted_or_local_witnesses() {
        let of = |url| WitnessAddress::new(url, None).map(drop);
        assert_eq!(of("http://10.0.0.5/"), Err(WebhookError::Address));
        assert_eq!(
            of("https://witness.example"),
            Err(WebhookError::NoCertificate)
        );
        assert_eq!(of("http://127.0.0.1:80"), Ok(()));
    }
}
