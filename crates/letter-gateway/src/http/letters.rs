//! Letters: handed over, and asked about.

use audit_core::StreamKey;
use clinical_letter::{Disposition, Sidecar};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use hyper::body::Incoming;
use letter_delivery::{CopyRecord, LetterRecord, Store};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::answer::{Answer, Problem, json_answer, taken, told};
use super::connection::read_body;
use super::outcomes::OUTCOMES;
use super::{Http, multipart, query};
use crate::folder::{SIDECAR_BYTES_MAX, told as wrong_json};
use crate::take::{HandOver, OnReject, Once};
use crate::{Gateway, Receipt, StatusLine};

/// Largest `letter` part; the same as a sidecar's limit.
pub(super) const LETTER_MAX: usize = 1024 * 1024;
const _: () = assert!(LETTER_MAX as u64 == SIDECAR_BYTES_MAX, "one contract");

/// Longest `Idempotency-Key`.
const KEY_MAX: usize = 255;
const KEY: &str = "idempotency-key";

const LETTERS: &str = "/v1/letters";

impl<S: Store + 'static> Gateway<S> {
    pub(super) async fn carry_out_request(
        &self,
        http: &Http,
        head: &Parts,
        body: &mut Incoming,
    ) -> Result<Answer, Problem> {
        let authorization = head.headers.get(AUTHORIZATION);
        if !http
            .entry
            .admits(authorization.map(|value| value.as_bytes()))
        {
            tracing::warn!(
                source = http.source,
                "a client was turned away: no right token"
            );
            return Err(Problem::not_authorised());
        }
        if head.uri.path() == OUTCOMES {
            return match head.method {
                Method::GET => self.outcomes(http, head).await,
                _ => Err(Problem::not_allowed("GET")),
            };
        }
        let rest = head.uri.path().strip_prefix(LETTERS);
        match (rest, &head.method) {
            (Some(""), &Method::POST) => self.hand_over(http, head, body).await,
            (Some(""), &Method::GET) => self.find_letter(http, head).await,
            (Some(""), _) => Err(Problem::not_allowed("GET, POST")),
            (Some(id), method) => match id.strip_prefix('/').map(StreamKey::parse) {
                Some(Ok(key)) if method == Method::GET => self.show_letter(key).await,
                Some(Ok(_)) => Err(Problem::not_allowed("GET")),
                _ => Err(Problem::not_found()),
            },
            (None, _) => Err(Problem::not_found()),
        }
    }

    async fn hand_over(
        &self,
        http: &Http,
        head: &Parts,
        body: &mut Incoming,
    ) -> Result<Answer, Problem> {
        let key = key_of(&head.headers)?;
        let kind = head.headers.get(CONTENT_TYPE);
        let kind = kind.and_then(|value| value.to_str().ok());
        let boundary = kind.and_then(multipart::boundary);
        let boundary = boundary.ok_or_else(Problem::not_a_form)?;
        let bytes = read_body(http, body).await?;
        let form = Form::read(http, &boundary, &bytes)?;
        let once = key.map(|key| self.once(http, &key, &form));
        if let Some(once) = &once
            && let Some(before) = self.store.answer(once.key).await?
        {
            return if before.content == once.content {
                Ok(taken(before.status, before.body))
            } else {
                Err(Problem::key_reused())
            };
        }
        let mut from = HandOver::new(&http.source, OnReject::Refuse);
        // Without a key the answer is not kept, and all else is the same.
        from.once = once.as_ref();
        from.single = true;
        let (sidecar, document) = (form.letter, form.document.to_vec());
        let receipts = self.take_from(from, document, Some(sidecar)).await?;
        answer_of(&receipts)
    }

    /// What was handed over is known by its two parts, whatever stands between them.
    fn once(&self, http: &Http, key: &str, form: &Form<'_>) -> Once {
        let mut digest = Sha256::new();
        for part in [form.letter_bytes, form.document] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        let digest: [u8; 32] = digest.finalize().into();
        self.decide(|engine| Once {
            key: engine.keys().hand_over(&http.source, key),
            content: engine.keys().content(&digest),
            told,
        })
    }

    async fn show_letter(&self, key: StreamKey) -> Result<Answer, Problem> {
        let found = self.store.letter(key).await?;
        let found = found.ok_or_else(Problem::not_found)?;
        let number = found
            .document
            .as_ref()
            .map(|number| number.expose().as_str());
        Ok(self.lines(&found.letter, &found.copies, number))
    }

    async fn find_letter(&self, http: &Http, head: &Parts) -> Result<Answer, Problem> {
        let pairs = query::pairs(head.uri.query().unwrap_or_default());
        let wrong = || {
            Problem::bad(
                "query-wrong",
                "expected document=NUMBER and perhaps source=NAME",
            )
        };
        let (mut document, mut source) = (None, None);
        for (name, value) in pairs.ok_or_else(wrong)? {
            let place = match name.as_str() {
                "document" => &mut document,
                "source" => &mut source,
                _ => return Err(wrong()),
            };
            if place.replace(value).is_some() {
                return Err(wrong());
            }
        }
        let document = document.ok_or_else(wrong)?;
        let source = source.unwrap_or_else(|| http.source.clone());
        let key = self.decide(|engine| engine.keys().document(&source, &document));
        Ok(match self.store.document(key).await? {
            Some(found) => self.lines(&found.letter, &found.copies, Some(&document)),
            None => json_answer(StatusCode::OK, json!({ "lines": [] }).to_string()),
        })
    }

    fn lines(&self, letter: &LetterRecord, copies: &[CopyRecord], number: Option<&str>) -> Answer {
        let trust = self.trust.code.as_str();
        let lines = StatusLine::of(letter, copies, number).into_iter();
        let lines: Vec<_> = lines.map(|about| Line { trust, about }).collect();
        json_answer(StatusCode::OK, json!({ "lines": lines }).to_string())
    }
}

/// A line of `letterbox status --json`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    trust: &'a str,
    #[serde(flatten)]
    about: StatusLine,
}

fn answer_of(receipts: &[Receipt]) -> Result<Answer, Problem> {
    match receipts {
        [receipt] if receipt.disposition != Disposition::Reject || receipt.taken.is_some() => {
            let (status, body) = told(receipt);
            Ok(taken(status, body))
        }
        [receipt, ..] => Err(Problem::refused(receipt)),
        [] => Err(Problem::bad("empty", "there is no message in the document")),
    }
}

fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let wrong = || {
        let what = "Idempotency-Key must be given once, with 1 to 255 visible ASCII characters";
        Problem::bad("idempotency-key-wrong", what)
    };
    let mut given = headers.get_all(KEY).iter();
    let Some(key) = given.next() else {
        return Ok(None);
    };
    let fits =
        (1..=KEY_MAX).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic);
    match (given.next(), key.to_str()) {
        (None, Ok(key)) if fits => Ok(Some(key.to_owned())),
        _ => Err(wrong()),
    }
}

/// The two parts of a hand-over.
struct Form<'a> {
    letter: Sidecar,
    letter_bytes: &'a [u8],
    document: &'a [u8],
}

impl<'a> Form<'a> {
    fn read(http: &Http, boundary: &str, body: &'a [u8]) -> Result<Self, Problem> {
        let wrong = |what: &str| Problem::bad("multipart-wrong", what);
        let (mut letter, mut document) = (None, None);
        for part in multipart::parts(boundary, body).map_err(wrong)? {
            let place = match part.name.as_str() {
                "letter" => &mut letter,
                "document" => &mut document,
                _ => {
                    return Err(wrong(
                        "expected the parts letter and document, and no other",
                    ));
                }
            };
            if place.replace(part.content).is_some() {
                return Err(wrong("a part is there twice"));
            }
        }
        let letter_bytes = letter.ok_or_else(|| wrong("the part letter is missing"))?;
        let document = document.ok_or_else(|| wrong("the part document is missing"))?;
        if letter_bytes.len() > LETTER_MAX || document.len() > http.document_max {
            return Err(Problem::too_large());
        }
        let letter = serde_json::from_slice(letter_bytes)
            .map_err(|error| Problem::bad("letter-wrong", wrong_json(&error)))?;
        Ok(Self {
            letter,
            letter_bytes,
            document,
        })
    }
}
