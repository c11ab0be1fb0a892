//! Sources are told what became of their letters, at least once and in order.

use std::collections::VecDeque;
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use clinical_letter::{MllpDecoder, encode_frame};
use letter_delivery::testkit::Trouble;
use letter_gateway::{Begin, Feed, FeedError, OutcomeLine, Receiver, Webhook};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::letters::report;
use crate::support::{World, names};

pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A letter that was accepted, and one that is held.
async fn world() -> World {
    let world = World::new().await;
    world.hand_over("1.txt", report("W-1", "Rest"));
    let wrong = report("W-2", "Rest").replace("999 001 2377", "999 001 2378");
    world.hand_over("2.txt", wrong);
    world.scan().await;
    world.work().await;
    world
}

fn folder(world: &World) -> Feed {
    let path = world.path("outcomes");
    fs::create_dir_all(&path).unwrap();
    Feed::new("epr", Receiver::Folder(path))
}

fn files(world: &World) -> Vec<Value> {
    let path = world.path("outcomes");
    let read = |name: &String| serde_json::from_slice(&fs::read(path.join(name)).unwrap()).unwrap();
    names(&path).iter().map(read).collect()
}

fn told(outcomes: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut told: Vec<_> = outcomes
        .iter()
        .map(|one| (text(&one["state"]), text(&one["outcome"])))
        .collect();
    told.sort();
    told
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(one, two): &(&str, &str)| ((*one).to_owned(), (*two).to_owned());
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn a_folder_gets_each_outcome_once_whole_and_in_order() {
    let world = world().await;
    let feed = folder(&world);
    let first = world.gateway.tell(&feed).await.unwrap();
    assert_eq!((first.outcomes, first.refused), (2, 0));
    let outcomes = files(&world);
    let expected = pairs(&[("ACCEPTED", "accepted"), ("HELD", "held")]);
    assert_eq!(told(&outcomes), expected);
    let held = outcomes
        .iter()
        .find(|one| one["outcome"] == "held")
        .unwrap();
    assert_eq!(held["reason"], "nhs-number-invalid");
    assert_eq!(held["source"], "epr");
    let accepted = outcomes
        .iter()
        .find(|one| one["outcome"] == "accepted")
        .unwrap();
    assert_eq!(
        (accepted["practice"].as_str(), accepted["copy"].as_u64()),
        (Some("Y99901"), Some(1))
    );
    assert!(accepted["message_id"].is_string());
    let text = format!("{outcomes:?}");
    for word in ["Ashworth", "ASHWORTH", "9990012377", "999 001"] {
        assert!(!text.contains(word), "{word}");
    }
    assert_eq!(world.gateway.tell(&feed).await.unwrap().outcomes, 0);

    // The practice collects it, and another process goes on where this one was.
    world.received("Y99901GP1");
    let mut world = world;
    world.server.collect(&crate::support::mailbox("Y99901GP1"));
    world.later(90);
    world.restart();
    world.work().await;
    assert_eq!(world.gateway.tell(&feed).await.unwrap().outcomes, 1);
    let outcomes = files(&world);
    let last = outcomes.last().unwrap();
    assert_eq!(
        (last["outcome"].as_str(), last["says"].as_str()),
        (Some("collected"), Some("collected, filing unproven"))
    );
    assert_eq!(
        names(&world.path("outcomes")).len(),
        3,
        "and nothing half beside them"
    );
    world.check();
}

#[tokio::test]
async fn what_was_told_just_before_a_crash_is_told_again_under_the_same_name() {
    let world = world().await;
    let feed = folder(&world);
    world
        .gateway
        .tell(&Feed::new("epr", Receiver::Folder(world.path("nowhere"))))
        .await
        .unwrap_err();
    // The files are written, and how far the feed has come is not.
    world.store.set(Trouble::DiesAfter(0));
    let died = world.gateway.tell(&feed).await;
    assert!(matches!(died, Err(FeedError::Store(_))), "{died:?}");
    let before = names(&world.path("outcomes"));
    assert_eq!(before.len(), 2);
    world.store.set(Trouble::None);
    assert_eq!(world.gateway.tell(&feed).await.unwrap().outcomes, 2);
    assert_eq!(names(&world.path("outcomes")), before);
}

#[tokio::test]
async fn only_the_sources_that_are_named_and_only_from_where_it_begins() {
    let world = world().await;
    let mut other = folder(&world);
    other.name = "other".to_owned();
    other.sources = vec!["lab".to_owned()];
    assert_eq!(world.gateway.tell(&other).await.unwrap().outcomes, 0);
    let mut new = folder(&world);
    new.begin = Begin::Now;
    assert_eq!(world.gateway.tell(&new).await.unwrap().outcomes, 0);
    let wrong = report("W-3", "Rest").replace("999 001 2377", "999 001 2378");
    world.hand_over("3.txt", wrong);
    world.scan().await;
    assert_eq!(world.gateway.tell(&new).await.unwrap().outcomes, 1);
    assert_eq!(files(&world)[0]["outcome"], "held");
}

/// A listener that answers as told, and keeps what it heard.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Given what was heard, what to answer; nothing breaks the connection off.
pub(crate) type Manner = fn(&mut VecDeque<&'static str>, &str) -> Option<Vec<u8>>;

impl Listener {
    pub(crate) async fn start(mllp: bool, answers: &[&'static str], manner: Manner) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        let mut answers: VecDeque<&'static str> = answers.iter().copied().collect();
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut answer = |message: String| {
                    let answer = manner(&mut answers, &message);
                    kept.lock().unwrap().push(message);
                    answer
                };
                while let Some(answer) = hear(&mut stream, mllp).await.and_then(&mut answer) {
                    stream.write_all(&answer).await.unwrap();
                }
            }
        });
        Self {
            address,
            heard,
            serving,
        }
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn hear(stream: &mut TcpStream, mllp: bool) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        if mllp {
            let mut decoder = MllpDecoder::new(64 * 1024);
            decoder.push(&bytes);
            if let Some(frame) = decoder.next_frame() {
                return String::from_utf8(frame.unwrap().message).ok();
            }
        } else {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.unwrap().parse::<usize>().unwrap() {
                return Some(text);
            }
        }
    }
}

/// Answers by HL7 with the next code, or AA.
pub(crate) fn by_hl7(answers: &mut VecDeque<&'static str>, message: &str) -> Option<Vec<u8>> {
    let control = message.split('|').nth(9).unwrap();
    let code = answers.pop_front().unwrap_or("AA");
    let (code, control) = match code {
        "nothing" => return None,
        "other" => ("AA", "LBO999"),
        code => (code, control),
    };
    let answer = format!("MSH|^~\\&|EPR|RXX|LETTERBOX|RXX|1||ACK|A1|P|2.4\rMSA|{code}|{control}\r");
    Some(encode_frame(answer.as_bytes()))
}

/// Answers by HTTP with the next status, or 204.
pub(crate) fn by_http(answers: &mut VecDeque<&'static str>, _: &str) -> Option<Vec<u8>> {
    let status = answers.pop_front().unwrap_or("204 No Content");
    Some(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes())
}

fn line(listener: &Listener) -> Feed {
    Feed::new("hl7", Receiver::Mllp(OutcomeLine::new(listener.address)))
}

fn hook(listener: &Listener) -> Feed {
    let url = format!("http://{}/outcomes", listener.address);
    Feed::new(
        "hook",
        Receiver::Webhook(Webhook::new(&url, SECRET, None).unwrap()),
    )
}

#[tokio::test]
async fn an_hl7_listener_is_told_one_at_a_time_and_answers_each() {
    let world = world().await;
    let listener = Listener::start(true, &[], by_hl7).await;
    assert_eq!(
        world.gateway.tell(&line(&listener)).await.unwrap().outcomes,
        2
    );
    let heard = listener.heard();
    assert!(heard.iter().all(|one| one.contains("|MDM^T03^MDM_T01|LBO")));
    assert!(
        heard
            .iter()
            .any(|one| one.contains("||||||||||W-1\r") && one.contains("ZLO|1|accepted|"))
    );
    assert!(
        heard
            .iter()
            .any(|one| one.contains("|nhs-number-invalid|HELD|"))
    );
    assert!(!format!("{heard:?}").contains("9990012377"));
}

#[tokio::test]
async fn section_6_ae_silence_and_a_wrong_answer_are_told_again_and_ar_is_final() {
    let world = world().await;
    let listener = Listener::start(true, &["AE", "nothing", "other", "AA", "AR"], by_hl7).await;
    let feed = line(&listener);
    for _ in 0..3 {
        let waits = world.gateway.tell(&feed).await;
        assert!(matches!(waits, Err(FeedError::Receiver(_))), "{waits:?}");
    }
    let done = world.gateway.tell(&feed).await.unwrap();
    assert_eq!((done.outcomes, done.refused), (1, 1));
    let heard = listener.heard();
    let control = |one: &String| one.split('|').nth(9).unwrap().to_owned();
    let controls: Vec<_> = heard.iter().map(control).collect();
    assert!(
        controls[..4].windows(2).all(|two| two[0] == two[1]),
        "{controls:?}"
    );
    assert_ne!(controls[3], controls[4]);
    assert_eq!(world.count("outcome.refused"), 1);
    world.check();
}

#[tokio::test]
async fn a_receiver_that_is_down_and_comes_back_loses_nothing() {
    let world = world().await;
    let listener = Listener::start(true, &[], by_hl7).await;
    let feed = line(&listener);
    let free = listener.address;
    drop(listener);
    // Wait until the port is free again.
    let bound = loop {
        if let Ok(bound) = TcpListener::bind(free).await {
            break bound;
        }
        tokio::task::yield_now().await;
    };
    drop(bound);
    world.gateway.tell(&feed).await.unwrap_err();
    // Other feeds and letters go on.
    assert_eq!(
        world.gateway.tell(&folder(&world)).await.unwrap().outcomes,
        2
    );
    world.hand_over("3.txt", report("W-3", "Run"));
    world.scan().await;
    assert_eq!(world.work().await.accepted, 1);
    let back = Listener::start(true, &[], by_hl7).await;
    let feed = Feed::new("hl7", Receiver::Mllp(OutcomeLine::new(back.address)));
    assert_eq!(world.gateway.tell(&feed).await.unwrap().outcomes, 3);
}

#[tokio::test]
async fn a_webhook_gets_json_that_it_can_prove_came_from_us() {
    let world = world().await;
    let listener = Listener::start(false, &[], by_http).await;
    assert_eq!(
        world.gateway.tell(&hook(&listener)).await.unwrap().outcomes,
        2
    );
    for heard in listener.heard() {
        let (head, body) = heard.split_once("\r\n\r\n").unwrap();
        let header = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap()
        };
        assert_eq!(header("content-type: "), "application/json");
        let signature = header("letterbox-signature: ");
        let (seconds, hex) = signature
            .strip_prefix("t=")
            .unwrap()
            .split_once(",v1=")
            .unwrap();
        assert_eq!(hex, hmac(&format!("{seconds}.{body}")));
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(body["cursor"].as_u64().unwrap() > 0);
    }
}

/// HMAC-SHA-256 by its definition (RFC 2104).
fn hmac(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        for (one, key) in block.iter_mut().zip(SECRET) {
            *one ^= key;
        }
        block
    };
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(text)
        .finalize();
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_webhook_is_tried_again_never_follows_and_may_refuse_for_good() {
    let world = world().await;
    let answers = [
        "500 Oops",
        "302 Found\r\nLocation: http://127.0.0.1:1/elsewhere",
        "429 Too Many Requests",
        "401 Unauthorized",
        "404 Not Found",
        "422 Unprocessable Content",
        "200 OK",
    ];
    let listener = Listener::start(false, &answers, by_http).await;
    let feed = hook(&listener);
    for _ in 0..5 {
        let waits = world.gateway.tell(&feed).await;
        assert!(matches!(waits, Err(FeedError::Receiver(_))), "{waits:?}");
    }
    let done = world.gateway.tell(&feed).await.unwrap();
    assert_eq!((done.outcomes, done.refused), (1, 1));
    assert_eq!(listener.heard().len(), answers.len());
    assert_eq!(world.count("outcome.refused"), 1);
}

#[tokio::test]
async fn a_run_tells_its_feeds_and_a_dead_receiver_keeps_nobody_waiting() {
    let world = world().await;
    let mut run = world.run();
    let dead = OutcomeLine::new(([127, 0, 0, 1], 1).into());
    run.feeds = vec![Feed::new("dead", Receiver::Mllp(dead)), folder(&world)];
    let summary = world.gateway.run_once(&run).await.unwrap();
    assert_eq!((summary.told, summary.feeds_waiting), (2, 1));
    run.look_every = std::time::Duration::from_millis(20);
    run.feeds[1].look_every = std::time::Duration::from_millis(20);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let gateway = Arc::clone(&world.gateway);
    let running = tokio::spawn(async move {
        gateway
            .run_until(&run, async { stopped.await.unwrap_or_default() })
            .await
    });
    world.hand_over("3.txt", report("W-3", "Run"));
    for _ in 0..500 {
        if files(&world).len() == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(files(&world).len(), 3);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
