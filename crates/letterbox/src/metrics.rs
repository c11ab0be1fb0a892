//! The program's metrics, as Prometheus text over HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::metrics::{describe_gauge, gauge};
use chrono::{DateTime, Utc};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use letter_store::{AnyStore, Load};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::exit::Exit;
use crate::output::complain;

/// How often the gauges are read from the store.
const READ_EVERY: Duration = Duration::from_secs(15);
/// How long a scraper may take over its request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a scraper may hold a connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);
/// Scrapers that are served at one time.
const CONNECTIONS_MAX: usize = 8;
/// Bounds of the histograms, in seconds.
const BUCKETS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0];

const WAITING: &str = "letterbox_work_waiting";
const OLDEST_DUE: &str = "letterbox_work_oldest_due_seconds";
const PEOPLE: &str = "letterbox_needs_person";
const OLDEST_DUTY: &str = "letterbox_needs_person_overdue_seconds";
const EVENTS: &str = "letterbox_ledger_events";
const UNSIGNED: &str = "letterbox_ledger_unsigned_events";

/// Opens the listener and begins to count.
pub(crate) async fn start(listen: SocketAddr) -> Result<(), Exit> {
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Exit::Configuration(format!(
            "metrics.listen: cannot listen on {listen}: {error}; name another port"
        ))
    })?;
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| Exit::Unavailable(format!("metrics cannot be counted: {error}")))?;
    letter_gateway::describe_metrics();
    describe();
    tokio::spawn(serve(listener, handle));
    Ok(())
}

fn describe() {
    describe_gauge!(WAITING, "Work that waits, by kind");
    describe_gauge!(OLDEST_DUE, "Age of the oldest due work, by kind");
    describe_gauge!(PEOPLE, "Letters and copies that need a person");
    describe_gauge!(
        OLDEST_DUTY,
        "How long the oldest duty of a person is overdue"
    );
    describe_gauge!(EVENTS, "Events in the ledger");
    describe_gauge!(UNSIGNED, "Events that no signed checkpoint covers yet");
}

/// Reads one trust's gauges for ever.
pub(crate) async fn watch(trust: String, store: Arc<AnyStore>) {
    loop {
        match store.load().await {
            Ok(load) => show(&trust, &load, crate::commands::now()),
            Err(error) => complain(&format!("the load of {trust} could not be read: {error}")),
        }
        tokio::time::sleep(READ_EVERY).await;
    }
}

fn show(trust: &str, load: &Load, now: DateTime<Utc>) {
    for kind in letter_delivery::WorkKind::ALL {
        let labels = [
            ("trust", trust.to_owned()),
            ("kind", kind.as_str().to_owned()),
        ];
        let waiting = load.waiting.iter().find(|waiting| waiting.kind == *kind);
        let pieces = waiting.map_or(0, |waiting| waiting.pieces);
        gauge!(WAITING, &labels).set(number(pieces));
        let age = waiting.map_or(0.0, |waiting| age(now, waiting.oldest_due));
        gauge!(OLDEST_DUE, &labels).set(age);
    }
    let labels = [("trust", trust.to_owned())];
    gauge!(PEOPLE, &labels).set(number(load.needs_person));
    let overdue = load.oldest_duty.map_or(0.0, |since| age(now, since));
    gauge!(OLDEST_DUTY, &labels).set(overdue);
    gauge!(EVENTS, &labels).set(number(load.events));
    gauge!(UNSIGNED, &labels).set(number(load.events.saturating_sub(load.signed)));
}

/// How many seconds ago; what lies ahead has no age.
fn age(now: DateTime<Utc>, since: DateTime<Utc>) -> f64 {
    (now - since).to_std().unwrap_or_default().as_secs_f64()
}

/// A gauge is a float: counts this large are read as orders of magnitude anyway.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

async fn serve(listener: TcpListener, handle: PrometheusHandle) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let handle = handle.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| std::future::ready(answer(&request, &handle)));
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            // A scraper that goes away, or stays too long, is no event.
            let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
            drop(place);
        });
    }
}

fn answer(
    request: &Request<Incoming>,
    handle: &PrometheusHandle,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, handle.render()),
        (&Method::GET, _) => (StatusCode::NOT_FOUND, "see /metrics\n".to_owned()),
        _ => (StatusCode::METHOD_NOT_ALLOWED, "see /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}
