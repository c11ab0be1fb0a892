use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::BODY_MAX;
use super::body::Payload;
use crate::fault::{self, Chosen};
use crate::service::{self, Call, ServiceReply};
use crate::state::State;
use crate::{FaultAction, LoggedRequest};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a refused client is listened to, so that our alert reaches it before the reset that
/// unread bytes would cause.
const LINGER: Duration = Duration::from_millis(500);

/// Serves one connection until it ends.
pub(crate) async fn serve(stream: TcpStream, acceptor: TlsAcceptor, state: Arc<Mutex<State>>) {
    let _ = stream.set_nodelay(true);
    let accepted = timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream).into_fallible()).await;
    let stream = match accepted {
        Ok(Ok(stream)) => stream,
        Ok(Err((_, refused))) => return linger(refused).await,
        Err(_) => return,
    };
    let service = service_fn(move |request| handle(request, Arc::clone(&state)));
    let connection = hyper::server::conn::http1::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    // A client that breaks off, or a fault that does, is no event.
    let _ = connection.await;
}

async fn linger(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let mut rest = [0_u8; 1024];
    let drain = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
    let _ = timeout(LINGER, drain).await;
}

async fn handle(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Payload>, io::Error> {
    let call = read(request).await?;
    let (mut entry, chosen) = begin(&state, &call);
    if let Some(Chosen {
        action: FaultAction::Delay(wait),
        ..
    }) = &chosen
    {
        sleep(*wait).await;
    }
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let outcome = carry_out(&mut state, &call, chosen);
    let date = state.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    entry.status = outcome.as_ref().map_or(0, |(reply, _)| reply.status);
    state.note(entry);
    drop(state);
    let (reply, cut) = outcome.ok_or_else(|| io::Error::other("a fault"))?;
    response(reply, cut, &date, call.method == "HEAD")
}

fn begin(state: &Mutex<State>, call: &Call) -> (LoggedRequest, Option<Chosen>) {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = LoggedRequest {
        at: state.now(),
        method: call.method.clone(),
        path: call.path.clone(),
        query: call.query.clone(),
        headers: call.headers.clone(),
        body_bytes: call.body.len(),
        status: 0,
    };
    let chosen = fault::choose(&mut state.faults, &call.method, &call.path);
    (entry, chosen)
}

/// The reply and where to cut it, or nothing when the connection is to be closed.
fn carry_out(
    state: &mut State,
    call: &Call,
    chosen: Option<Chosen>,
) -> Option<(ServiceReply, Option<usize>)> {
    let is_early = chosen.as_ref().is_some_and(|chosen| chosen.before_token);
    if !is_early && let Err(refused) = service::check_token(state, call) {
        return Some((refused, None));
    }
    let action = chosen.map(|chosen| chosen.action);
    match action {
        Some(FaultAction::DropBefore) => return None,
        Some(FaultAction::Status {
            status,
            headers,
            body,
        }) => {
            let body = Bytes::from(body);
            return Some((
                ServiceReply {
                    status,
                    headers,
                    body,
                },
                None,
            ));
        }
        _ if is_early => {
            if let Err(refused) = service::check_token(state, call) {
                return Some((refused, None));
            }
        }
        _ => {}
    }
    let reply = service::answer(state, call);
    match action {
        Some(FaultAction::DropAfter) => None,
        Some(FaultAction::Cut { bytes }) => Some((reply, Some(bytes))),
        Some(FaultAction::Flip) => Some((flipped(reply), None)),
        Some(FaultAction::Replace {
            status,
            headers,
            body,
        }) => Some((replaced(reply, status, headers, body), None)),
        _ => Some((reply, None)),
    }
}

fn flipped(mut reply: ServiceReply) -> ServiceReply {
    let mut body = BytesMut::from(reply.body.as_ref());
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 0xFF;
    }
    reply.body = body.freeze();
    reply
}

fn replaced(
    mut reply: ServiceReply,
    status: Option<u16>,
    headers: Vec<(String, Option<String>)>,
    body: Option<Vec<u8>>,
) -> ServiceReply {
    reply.status = status.unwrap_or(reply.status);
    for (name, value) in headers {
        reply
            .headers
            .retain(|(kept, _)| !kept.eq_ignore_ascii_case(&name));
        reply.headers.extend(value.map(|value| (name, value)));
    }
    if let Some(body) = body {
        reply.body = Bytes::from(body);
    }
    reply
}

/// Reads a request to its end, so that even a refused one gets its answer.
async fn read(request: Request<Incoming>) -> Result<Call, io::Error> {
    let (head, mut incoming) = request.into_parts();
    let mut headers = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str().to_owned()).or_insert(value);
    }
    let mut body = BytesMut::new();
    let mut is_too_large = false;
    while let Some(frame) = incoming.frame().await {
        let Ok(part) = frame.map_err(io::Error::other)?.into_data() else {
            continue;
        };
        is_too_large |= body.len().saturating_add(part.len()) > BODY_MAX;
        if is_too_large {
            body.clear();
        } else {
            body.extend_from_slice(&part);
        }
    }
    Ok(Call {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.freeze(),
        is_too_large,
    })
}

fn response(
    reply: ServiceReply,
    cut: Option<usize>,
    date: &str,
    is_head: bool,
) -> Result<Response<Payload>, io::Error> {
    let length = reply.body.len();
    let payload = match cut {
        _ if is_head => Payload::whole(Bytes::new()),
        Some(bytes) => Payload::broken(reply.body.slice(..bytes.min(length))),
        None => Payload::whole(reply.body),
    };
    let mut builder = Response::builder()
        .status(reply.status)
        .header("date", date);
    let has = |name: &str| {
        reply
            .headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    if !has("content-length") && !has("transfer-encoding") {
        builder = builder.header("content-length", length);
    }
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(payload).map_err(io::Error::other)
}
