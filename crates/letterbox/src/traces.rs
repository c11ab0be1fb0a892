//! Traces over OTLP: with the feature `otlp`, and only where `OTEL_EXPORTER_OTLP_ENDPOINT` asks for it.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::exit::Exit;

/// The variable that every OpenTelemetry program reads.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Sends spans until it is dropped; what is left is sent then.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins, when the environment names a collector.
    ///
    /// Spans hold names, times, sizes, and the pseudonyms that the ledger holds.
    pub(crate) fn start() -> Result<Option<Self>, Exit> {
        let Some(endpoint) = std::env::var_os(ENDPOINT) else {
            return Ok(None);
        };
        Self::to(&endpoint.to_string_lossy()).map(Some)
    }

    fn to(endpoint: &str) -> Result<Self, Exit> {
        if !endpoint.starts_with("http://") {
            return Err(Exit::Configuration(format!(
                "{ENDPOINT} must begin with http://: name a collector on this host or in its \
                 network, which forwards over TLS"
            )));
        }
        exporter(endpoint).map(Self).map_err(|error| {
            Exit::Configuration(format!("traces cannot be sent to {ENDPOINT}: {error}"))
        })
    }

    /// The layer that gives our spans to the collector, and nobody else's.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("letterbox"))
            .with_filter(filter_fn(|about| about.target().starts_with("letter")))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is away keeps no letter, and no exit.
        let _ = self.0.shutdown();
    }
}

fn exporter(endpoint: &str) -> Result<SdkTracerProvider, ExporterBuildError> {
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(no_tls()?)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| ExporterBuildError::InternalFailure(error.to_string()))?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()?;
    let resource = Resource::builder().with_service_name("letterbox").build();
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build())
}

/// No address of this client is a TLS one; the builder wants to know all the same.
fn no_tls() -> Result<rustls::ClientConfig, ExporterBuildError> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)
        .map_err(|error| ExporterBuildError::InternalFailure(error.to_string()))?;
    Ok(builder
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Answers one export, and gives back its path and body.
    fn collector() -> (String, thread::JoinHandle<(String, Vec<u8>)>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let received = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert!(reader.read_line(&mut head).unwrap() > 0);
            }
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap();
            let length = length.lines().next().unwrap().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer).unwrap();
            (head, body)
        });
        (address, received)
    }

    fn holds(body: &[u8], text: &str) -> bool {
        body.windows(text.len()).any(|part| part == text.as_bytes())
    }

    #[test]
    fn our_spans_reach_the_collector_and_others_do_not() {
        let (address, received) = collector();
        let traces = Traces::to(&address).unwrap();
        let subscriber = tracing_subscriber::registry().with(traces.layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info_span!(target: "letter_gateway::take", "letter.take", source = "epr")
                .in_scope(|| {});
            tracing::info_span!(target: "hyper", "stranger").in_scope(|| {});
        });
        drop(traces);
        let (head, body) = received.join().unwrap();
        assert!(head.starts_with("POST /v1/traces "), "{head}");
        assert!(holds(&body, "letter.take"));
        assert!(holds(&body, "letterbox"));
        assert!(!holds(&body, "stranger"));
    }

    #[test]
    fn a_collector_that_is_away_keeps_nobody() {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        let traces = Traces::to(&address).unwrap();
        let subscriber = tracing_subscriber::registry().with(traces.layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info_span!(target: "letterbox", "lost").in_scope(|| {});
        });
        drop(traces);
    }

    #[test]
    fn an_encrypted_endpoint_is_refused_with_what_to_do() {
        let Err(Exit::Configuration(text)) = Traces::to("https://collector.example") else {
            panic!("taken");
        };
        assert!(text.contains("collector on this host"), "{text}");
    }
}
