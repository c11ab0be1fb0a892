//! Letters come over HTTP, and their source asks about them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use letterbox_tests::{Letter, Mesh, Site};
use serde_json::Value;

use crate::mllp::{connect, free_address};

const TOKEN: &str = "6f1c0b7e9a5d4c3b8f2e1d0c9b8a7f6e";
const PATIENCE: Duration = Duration::from_secs(30);
const PRACTICE: &str = "YGM24GP1";

/// What came back.
#[derive(Debug)]
struct Said {
    status: u16,
    body: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// Whatever carries a request: a socket, or TLS over one.
fn exchange(line: &mut (impl std::io::Read + std::io::Write), request: &[u8]) -> Option<Said> {
    line.write_all(request).ok()?;
    let mut bytes = Vec::new();
    // A peer that breaks off without a good-bye has said what it said.
    let _ = line.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Said {
        status: head.split(' ').nth(1)?.parse().unwrap(),
        body: body.to_owned(),
    })
}

fn post(document: &[u8], headers: &str) -> Vec<u8> {
    post_with("{}", document, headers)
}

fn post_with(letter: &str, document: &[u8], headers: &str) -> Vec<u8> {
    let part =
        |name: &str| format!("--XbX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    let mut body = format!("{}{letter}\r\n{}", part("letter"), part("document")).into_bytes();
    body.extend_from_slice(document);
    body.extend_from_slice(b"\r\n--XbX--\r\n");
    let head = format!(
        "POST /v1/letters HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
         Content-Type: multipart/form-data; boundary=XbX\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

fn get(path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer \
         {TOKEN}\r\n\r\n"
    )
    .into_bytes()
}

fn bearer() -> String {
    format!("Authorization: Bearer {TOKEN}\r\n")
}

/// A site with a door that a token opens.
fn site(mesh: &Mesh) -> (Site, SocketAddr) {
    let site = Site::new(mesh);
    let address = free_address();
    site.write_secret("secrets/door-token", TOKEN);
    site.change_config(
        "[trust.routing]",
        &format!(
            "[[trust.http]]\nsource = \"tie\"\nlisten = \"{address}\"\n\
             token_file = \"secrets/door-token\"\n\n[trust.routing]"
        ),
    );
    (site, address)
}

fn say(address: SocketAddr, request: &[u8]) -> Option<Said> {
    exchange(&mut connect(address), request)
}

/// Asks until the answer is as wanted.
fn until(address: SocketAddr, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let said = say(address, &get(path)).expect("an answer").json();
        if wanted(&said) {
            return said;
        }
        assert!(begin.elapsed() < PATIENCE, "{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_goes_its_whole_way_from_a_door_and_its_source_sees_it() {
    let mesh = Mesh::start().await;
    let (site, address) = site(&mesh);
    let running = site.start(&["run"]);
    let letter = Letter::new(1);
    let request = post(
        letter.to_text().as_bytes(),
        &format!("{}Idempotency-Key: k1\r\n", bearer()),
    );
    let said = say(address, &request).unwrap();
    assert_eq!(said.status, 201, "{said:?}");
    let again = say(address, &request).unwrap();
    assert_eq!((again.status, &again.body), (201, &said.body));
    let path = format!("/v1/letters/{}", said.json()["letter"].as_str().unwrap());
    let state = |wanted: &'static str| move |said: &Value| said["lines"][0]["state"] == wanted;
    until(address, &path, state("ACCEPTED"));
    assert_eq!(mesh.collect(PRACTICE).len(), 1);
    let by_number = format!("/v1/letters?document={}", letter.number);
    let found = until(address, &by_number, |said| !said["lines"][0].is_null());
    let mut shown = site.letterbox(&["status", "--json"]).exits(0).json();
    // What a person can decide is for those who may decide.
    let _ = shown[0].as_object_mut().unwrap().remove("possible");
    assert_eq!(found["lines"][0], shown[0], "the members of status --json");
    let ended = running.terminate();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    // The token in no argument, log or file but its own.
    assert!(!ended.said().contains(TOKEN));
    assert_eq!(site.letterbox(&["audit", "verify"]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn design_5_rule_1_what_was_answered_201_survives_a_kill_and_a_lost_answer_is_asked_again() {
    let mesh = Mesh::start().await;
    let (site, address) = site(&mesh);
    let mut told = Vec::new();
    for n in 1..=8_u32 {
        let running = site.start(&["run"]);
        let letter = Letter::new(n);
        let key = format!("{}Idempotency-Key: key-{n}\r\n", bearer());
        let request = post(letter.to_text().as_bytes(), &key);
        let mut line = connect(address);
        line.write_all(&request).unwrap();
        // Killed while it may be anywhere between the first byte and the answer.
        std::thread::sleep(Duration::from_millis(u64::from(n) * 4));
        running.kill();
        let mut answer = String::new();
        let _ = line.read_to_string(&mut answer);
        told.push((request, answer));
    }
    let running = site.start(&["run"]);
    for (request, before) in told {
        let said = say(address, &request).unwrap();
        assert_eq!(said.status, 201, "{said:?}");
        if let Some((_, body)) = before.split_once("\r\n\r\n") {
            assert_eq!(said.body, body, "what was told once is told again");
        }
    }
    running.terminate();
    let shown = site.letterbox(&["status", "--json"]).exits(0).json();
    assert_eq!(shown.len(), 8);
    assert_eq!(site.letterbox(&["audit", "verify"]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_with_mutual_tls_opens_to_its_own_clients_only() {
    let mesh = Mesh::start().await;
    let (site, address) = site(&mesh);
    let ours = Authority::new();
    let theirs = Authority::new();
    let door = ours.sign("localhost");
    site.write("tls/door.pem", &door.certificate);
    site.write_secret("tls/door.key", &door.key);
    site.write("tls/clients.pem", &ours.certificate);
    site.change_config(
        "token_file = \"secrets/door-token\"",
        "certificate = \"tls/door.pem\"\nkey = \"tls/door.key\"\nclient_ca = \"tls/clients.pem\"",
    );
    let running = site.start(&["run"]);
    let request = post(Letter::new(1).to_text().as_bytes(), "");
    let say = |identity: Option<&Pem>| ours.exchange(address, identity, &request);
    let client = ours.sign("tie");
    assert_eq!(say(Some(&client)).unwrap().status, 201);
    assert_eq!(say(Some(&client)).unwrap().status, 200);
    assert!(say(None).is_none(), "no certificate");
    assert!(
        say(Some(&theirs.sign("tie"))).is_none(),
        "another authority's"
    );
    assert!(
        exchange(&mut connect(address), &request).is_none(),
        "no TLS"
    );
    let ended = running.terminate();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(
        site.letterbox(&["status", "--json"]).exits(0).json().len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn security_v13_a_door_that_would_be_open_is_refused_in_the_configuration() {
    let mesh = Mesh::start().await;
    for (from, to, says) in [
        ("listen = \"127.0.0.1", "listen = \"0.0.0.0", "network"),
        (
            "token_file = \"secrets/door-token\"\n",
            "",
            "lets everybody in",
        ),
        (
            "secrets/door-token",
            "secrets/none",
            "the token of the door",
        ),
    ] {
        let (site, _) = site(&mesh);
        site.change_config(from, to);
        let ended = site.letterbox(&["run", "--once"]).exits(2);
        assert!(ended.stderr.contains(says), "{ended:#?}");
    }
    let (short, _) = site(&mesh);
    short.write_secret("secrets/door-token", "short-secret");
    let ended = short.letterbox(&["run", "--once"]).exits(2);
    assert!(ended.stderr.contains("openssl rand"), "{ended:#?}");
    assert!(!ended.stderr.contains("short-secret"));
    #[cfg(unix)]
    {
        let (shown, _) = site(&mesh);
        shown.set_mode("secrets/door-token", 0o644);
        let ended = shown.letterbox(&["run", "--once"]).exits(2);
        assert!(ended.stderr.contains("chmod 600"), "{ended:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn canary_a_door_says_nothing_of_a_patient() {
    let mesh = Mesh::start().await;
    let (site, address) = site(&mesh);
    let running = site.start(&["run"]);
    let mut canary = Letter::new(1);
    "ZEBEDEEX".clone_into(&mut canary.family);
    "QUILLONIA".clone_into(&mut canary.given);
    "77 Plumagecrescent".clone_into(&mut canary.street);
    let text = canary.to_text();
    let wrong_number = text.replace("QUILLONIA", "");
    let beside = text.replace("ZEBEDEEX", "Zebedeex\u{0}");
    let mut said = Vec::new();
    for document in [
        text.as_bytes(),
        wrong_number.as_bytes(),
        beside.as_bytes(),
        b"%PDF-1.4 ZEBEDEEX",
    ] {
        said.push(say(address, &post(document, &bearer())).unwrap().body);
    }
    let letter = "{\"patient\":{\"family\":{\"ZEBEDEEX\":1}}}";
    let refused = say(address, &post_with(letter, text.as_bytes(), &bearer())).unwrap();
    assert_eq!(refused.status, 400, "{refused:?}");
    said.push(refused.body);
    said.push(
        say(
            address,
            &get(&format!("/v1/letters?document={}", canary.number)),
        )
        .unwrap()
        .body,
    );
    said.push(running.terminate().said());
    let all = said.join("\n").to_lowercase();
    for word in [
        "zebedeex",
        "quillonia",
        "plumagecrescent",
        &canary.nhs_number,
    ] {
        assert!(!all.contains(word), "{word}: {all}");
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(site.path("data")).unwrap() {
        files.extend(fs::read(entry.unwrap().path()).unwrap());
    }
    let files = String::from_utf8_lossy(&files).to_lowercase();
    assert!(!files.contains("zebedeex") && !files.contains(TOKEN));
}

/// A certificate and its key.
struct Pem {
    certificate: String,
    key: String,
}

/// An authority that signs for both sides.
struct Authority {
    certificate: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        let issuer = rcgen::Issuer::new(params, key);
        Self {
            certificate,
            issuer,
        }
    }

    fn sign(&self, name: &str) -> Pem {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pem {
            certificate,
            key: key.serialize_pem(),
        }
    }

    /// A request over TLS to a server of this authority; nothing when we are turned away.
    fn exchange(
        &self,
        address: SocketAddr,
        identity: Option<&Pem>,
        request: &[u8],
    ) -> Option<Said> {
        use rustls::pki_types::pem::PemObject as _;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let read = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(read(&self.certificate)).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            Some(pem) => {
                let key = PrivateKeyDer::from_pem_slice(pem.key.as_bytes()).unwrap();
                let chain = vec![read(&pem.certificate)];
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        let name = "localhost".try_into().unwrap();
        let mut session = rustls::ClientConnection::new(config.into(), name).unwrap();
        let mut socket: TcpStream = connect(address);
        exchange(&mut rustls::Stream::new(&mut session, &mut socket), request)
    }
}

/// Files of a folder feed, in order.
fn outcomes(site: &Site) -> Vec<Value> {
    let folder = site.path("outcomes");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    let read = |name: &String| serde_json::from_slice(&fs::read(folder.join(name)).unwrap());
    names.iter().map(|name| read(name).unwrap()).collect()
}

fn add_feeds(site: &Site, feeds: &str) {
    site.change_config("[trust.routing]", &format!("{feeds}\n[trust.routing]"));
    fs::create_dir_all(site.path("outcomes")).unwrap();
}

const FOLDER_FEED: &str = "[[trust.feed]]\nname = \"epr\"\nfolder = \"outcomes\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_told_what_became_of_each_letter_also_after_kills() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let nobody = free_address();
    add_feeds(
        &site,
        &format!("{FOLDER_FEED}\n[[trust.feed]]\nname = \"dead\"\nmllp = \"{nobody}\"\n"),
    );
    site.change_config(
        "[trust.delivery]",
        "[trust.delivery]\nlook_every_seconds = 1",
    );
    for n in 1..=12_u32 {
        site.hand_over(&Letter::new(n));
        let running = site.start(&["run"]);
        std::thread::sleep(Duration::from_millis(150 + u64::from(n) * 60));
        running.kill();
    }
    // The feed that nobody listens to is said, and has kept back nothing.
    let ended = site.run_once().exits(4);
    assert!(ended.stderr.contains("feed"), "{ended:#?}");
    let told = outcomes(&site);
    let accepted = |one: &&Value| one["outcome"] == "accepted";
    let mut letters: Vec<_> = told
        .iter()
        .filter(accepted)
        .map(|one| one["document"].as_str().unwrap())
        .collect();
    letters.sort_unstable();
    letters.dedup();
    assert_eq!(letters.len(), 12, "every letter, whatever was killed");
    let cursors: Vec<_> = told.iter().map(|one| one["cursor"].as_u64()).collect();
    assert!(cursors.is_sorted(), "{cursors:?}");
    assert_eq!(site.letterbox(&["audit", "verify"]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hl7_receiver_that_was_down_is_told_when_it_is_back() {
    let mesh = Mesh::start().await;
    let site = Site::new(&mesh);
    let address = free_address();
    add_feeds(
        &site,
        &format!("[[trust.feed]]\nname = \"tie\"\nmllp = \"{address}\"\n"),
    );
    site.hand_over(&Letter::new(1));
    assert_eq!(site.run_once().code, Some(4));
    let listener = std::net::TcpListener::bind(address).unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut decoder = clinical_letter::MllpDecoder::new(64 * 1024);
        let mut buffer = [0; 4096];
        let mut heard = Vec::new();
        loop {
            let count = stream.read(&mut buffer).unwrap_or(0);
            if count == 0 {
                return heard;
            }
            decoder.push(&buffer[..count]);
            while let Some(frame) = decoder.next_frame() {
                let message = String::from_utf8(frame.unwrap().message).unwrap();
                let control = message.split('|').nth(9).unwrap();
                let answer = format!("MSH|^~\\&|T|R|L|R|1||ACK|1|P|2.4\rMSA|AA|{control}\r");
                stream
                    .write_all(&clinical_letter::encode_frame(answer.as_bytes()))
                    .unwrap();
                heard.push(message);
            }
        }
    });
    assert_eq!(site.run_once().code, Some(0));
    let heard = answering.join().unwrap();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(heard[0].contains("ZLO|1|accepted|"), "{heard:?}");
    assert!(heard[0].contains(&Letter::new(1).number), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_asked_for_over_http_too() {
    let mesh = Mesh::start().await;
    let (site, address) = site(&mesh);
    let running = site.start(&["run"]);
    let letter = Letter::new(1);
    say(address, &post(letter.to_text().as_bytes(), &bearer())).unwrap();
    let found = until(address, "/v1/outcomes", |said| {
        !said["outcomes"][0].is_null()
    });
    assert_eq!(found["outcomes"][0]["document"], letter.number.as_str());
    assert_eq!(found["outcomes"][0]["source"], "tie");
    running.terminate();
}
