//! Metrics: counts and ages over HTTP, nothing of a letter.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use letterbox_tests::{Letter, Mesh, Site};

const PATIENCE: Duration = Duration::from_secs(60);

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

fn ask(address: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn get(address: SocketAddr, path: &str) -> Option<String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ask(address, &request)
}

fn until(address: SocketAddr, wanted: &str) -> String {
    let begin = Instant::now();
    loop {
        let text = get(address, "/metrics").unwrap_or_default();
        if text.contains(wanted) {
            return text;
        }
        assert!(begin.elapsed() < PATIENCE, "no {wanted} in {text}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn measured(mesh: &Mesh) -> (Site, SocketAddr) {
    let site = Site::new(mesh);
    let address = free_address();
    let section = format!("[metrics]\nlisten = \"{address}\"\n\n[practices]");
    site.change_config("[practices]", &section);
    (site, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_what_it_took_and_sent_and_what_waits() {
    let mesh = Mesh::start().await;
    let (site, address) = measured(&mesh);
    let letter = Letter::new(1);
    site.hand_over(&letter);
    let run = site.start(&["run"]);
    let accepted = "letterbox_send_attempts_total{mailbox=\"RT9OT001\",outcome=\"accepted\"} 1";
    let text = until(address, accepted);
    let taken =
        "letterbox_documents_taken_total{mailbox=\"RT9OT001\",source=\"epr\",outcome=\"PARSED\"} 1";
    assert!(text.contains(taken), "{text}");
    assert!(text.contains("letterbox_send_seconds_bucket"), "{text}");
    assert!(
        text.contains("letterbox_needs_person{trust=\"RT9\"} 0"),
        "{text}"
    );
    assert!(
        text.contains("letterbox_work_waiting{trust=\"RT9\",kind=\"track\"}"),
        "{text}"
    );
    assert!(
        text.contains("# HELP letterbox_send_attempts_total"),
        "{text}"
    );
    let Letter {
        number,
        nhs_number,
        family,
        postcode,
        practice,
        ..
    } = &letter;
    for private in [number, nhs_number, family, postcode, practice] {
        assert!(!text.contains(private.as_str()), "{private} in {text}");
    }
    let _ = run.terminate().exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_and_methods_are_refused_and_a_taken_port_is_told() {
    let mesh = Mesh::start().await;
    let (site, address) = measured(&mesh);
    let run = site.start(&["run"]);
    until(address, "letterbox_ledger_events");
    let missing = get(address, "/").unwrap();
    assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");
    let post =
        "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let refused = ask(address, post).unwrap();
    assert!(refused.starts_with("HTTP/1.1 405"), "{refused}");

    let second = site.letterbox(&["run"]).exits(2);
    assert!(second.stderr.contains("metrics.listen"), "{second:?}");
    let _ = run.terminate().exits(0);
}
