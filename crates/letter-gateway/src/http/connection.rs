//! Connections: as many as there are places, none for longer than it may take.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::EXPECT;
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use letter_delivery::Store;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

use super::Http;
use super::answer::{Answer, Problem};
use crate::Gateway;
use crate::accept::serve_each;

/// How long a refused client may take to finish what it says.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);
/// The smallest buffer that a head can be read with.
const BUFFER_MIN: usize = 8 * 1024;

impl<S: Store + 'static> Gateway<S> {
    /// Answers requests until its task is ended; 201 is answered only when the letter is durable.
    pub async fn serve_http(self: Arc<Self>, listener: TcpListener, http: Http) {
        let connections_max = http.connections_max;
        let http = Arc::new(http);
        serve_each(listener, connections_max, |stream| {
            Arc::clone(&self).greet_client(stream, Arc::clone(&http))
        })
        .await;
    }

    async fn greet_client(self: Arc<Self>, stream: TcpStream, http: Arc<Http>) {
        // Small answers must not wait for the next packet.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = http.entry.acceptor() else {
            return self.exchange(stream, http).await;
        };
        match timeout(http.greet_within, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.exchange(stream, http).await,
            Ok(Err(error)) => {
                tracing::warn!(%error, source = http.source, "a client was turned away");
            }
            Err(_) => tracing::warn!(source = http.source, "a client did not greet in time"),
        }
    }

    async fn exchange(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        http: Arc<Http>,
    ) {
        let (head_within, head_max) = (http.head_within, http.head_max.max(BUFFER_MIN));
        let source = http.source.clone();
        let service = service_fn(move |request| {
            let (gateway, http) = (Arc::clone(&self), Arc::clone(&http));
            async move { Ok::<_, Infallible>(gateway.answer_request(&http, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head_within)
            .max_buf_size(head_max)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(%error, source, "a connection broke off");
        }
    }

    async fn answer_request(&self, http: &Http, request: Request<Incoming>) -> Answer {
        let (head, mut body) = request.into_parts();
        let done = self.carry_out_request(http, &head, &mut body).await;
        let answer = done.unwrap_or_else(|problem| problem.answer());
        // A client that waits to be asked for its body is not asked, and one that is too slow was
        // waited for. Any other would lose the answer if the connection were closed while it sends.
        let waits = head.headers.contains_key(EXPECT);
        if !body.is_end_stream() && !waits && answer.status() != StatusCode::REQUEST_TIMEOUT {
            drain(http, body).await;
        }
        answer
    }
}

/// Reads a body that is here within its time and size.
pub(super) async fn read_body(http: &Http, body: &mut Incoming) -> Result<Vec<u8>, Problem> {
    let limit = http.body_max();
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(Problem::too_large());
    }
    let end = Instant::now() + http.body_within;
    let mut bytes = Vec::new();
    loop {
        let within = end.min(Instant::now() + http.pause_max);
        let frame = match timeout_at(within, body.frame()).await {
            Err(_) => return Err(Problem::too_slow()),
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(_))) => {
                return Err(Problem::bad("body-broken", "the body broke off"));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        // Trailers say nothing to us.
        let part = frame.into_data().unwrap_or_default();
        if bytes.len().saturating_add(part.len()) > limit {
            return Err(Problem::too_large());
        }
        bytes.extend_from_slice(&part);
    }
}

/// Lets a refused client finish what it says, as far as it might have been taken.
async fn drain(http: &Http, mut body: Incoming) {
    let drained = async {
        let mut left = http.body_max();
        while let Some(Ok(frame)) = body.frame().await {
            let count = frame.into_data().map_or(0, |part| part.len());
            let Some(rest) = left.checked_sub(count) else {
                break;
            };
            left = rest;
        }
    };
    let _ = timeout(DRAIN_WITHIN, drained).await;
}
