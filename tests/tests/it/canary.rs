//! Names, numbers and addresses that must be seen nowhere but in the message itself.

use std::fs;
use std::io::{Cursor, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use letterbox_tests::{Letter, Mesh, Plan, Site, TrustPlan};
use mesh_testserver::{Fault, FaultAction, Mailbox, TestServer};
use nhs_types::{MailboxId, NhsNumber, OdsCode, WorkflowId};
use zip::write::SimpleFileOptions;

use crate::mllp;

const PASSWORD: &str = "canary pass:word&1";
const SHARED_KEY: &str = "canary-shared-key";
const WORD: &[u8] = include_bytes!("../../../crates/letterbox/samples/03-word-letter.docx");

/// The `n`th canary: every value of it is found nowhere else.
fn canary(n: u32) -> Letter {
    let mut letter = Letter::new(90_000 + n);
    letter.number = format!("DOCCANARY-{n}");
    "ZEBEDEEX".clone_into(&mut letter.family);
    "QUILLONIA".clone_into(&mut letter.given);
    "29/02/1924".clone_into(&mut letter.birth_date);
    "77 Plumagecrescent".clone_into(&mut letter.street);
    "ZZ88 9YX".clone_into(&mut letter.postcode);
    letter.saying("Her kumquatophobia is settled.")
}

/// What identifies the patient or tells of her, in every way that it could be written.
fn patient(letters: &[Letter]) -> Vec<String> {
    let mut words: Vec<String> = [
        "zebedeex",
        "quillonia",
        "plumagecrescent",
        "zz88",
        "kumquatophobia",
        "29/02/1924",
        "1924-02-29",
        "19240229",
        "9991234567",
        "999 123 4567",
    ]
    .map(str::to_owned)
    .into();
    for letter in letters {
        let number = &letter.nhs_number;
        words.push(number.clone());
        words.push(spaced(number));
    }
    words
}

fn spaced(number: &str) -> String {
    NhsNumber::parse(number).unwrap().spaced()
}

fn secrets() -> Vec<String> {
    let key = "01".repeat(32);
    vec![
        PASSWORD.to_owned(),
        SHARED_KEY.to_owned(),
        key,
        "private key-----".to_owned(),
    ]
}

fn find<'a>(text: &[u8], words: &'a [String]) -> Vec<&'a String> {
    let text = String::from_utf8_lossy(text).to_lowercase();
    words
        .iter()
        .filter(|word| text.contains(&word.to_lowercase()))
        .collect()
}

/// A Word letter about the canary's patient.
fn word(letter: &Letter) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(WORD)).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..from.len() {
        let mut entry = from.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let name = entry.name().unwrap().into_owned();
        if name == "word/document.xml" {
            let text = String::from_utf8(bytes).unwrap();
            let put = [
                ("ADEYEMI", letter.family.as_str()),
                ("Tunde", &letter.given),
                ("999 032 1620", &spaced(&letter.nhs_number)),
                ("23/05/1983", &letter.birth_date),
                ("14 Mill Lane", &letter.street),
                ("NM1 4ZZ", &letter.postcode),
                ("W-0002", &letter.number),
                ("Y99902", &letter.practice),
                ("Migraine with aura", &letter.note),
            ];
            bytes = put
                .iter()
                .fold(text, |text, (old, new)| {
                    assert!(text.contains(old), "{old} is not in the sample");
                    text.replace(old, new)
                })
                .into_bytes();
        }
        to.start_file(name, SimpleFileOptions::default()).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap().into_inner()
}

async fn mesh() -> Mesh {
    let mailbox = |id| Mailbox::new(MailboxId::parse(id).unwrap(), PASSWORD);
    let workflow = WorkflowId::parse("TOC_OUTP_ATT_DMS").unwrap();
    let practice = mailbox("YGM24GP1").organisation(OdsCode::parse("A99991").unwrap());
    let server = TestServer::builder()
        .shared_key(SHARED_KEY)
        .mailbox(mailbox("RT9OT001"))
        .mailbox(practice.receives(workflow));
    Mesh::of(server.start().await.unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Everything that anybody said or wrote, apart from the letters themselves.
struct Told {
    parts: Vec<(String, Vec<u8>)>,
}

impl Told {
    fn add(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.parts.push((name.to_owned(), bytes.into()));
    }

    fn assert_without(&self, words: &[String]) {
        for (name, bytes) in &self.parts {
            let found = find(bytes, words);
            if let Some(first) = found.first() {
                let text = String::from_utf8_lossy(bytes);
                let line = text
                    .lines()
                    .find(|line| line.to_lowercase().contains(&first.to_lowercase()));
                panic!("{name} shows {found:?}: {line:?}");
            }
        }
    }
}

/// A trust that the canary's letters come to, and a MESH that fails now and then.
struct Cage {
    mesh: Mesh,
    site: Site,
    address: SocketAddr,
    letters: Vec<Letter>,
}

const TRACE: [&str; 2] = ["--log", "trace"];

impl Cage {
    async fn new() -> Self {
        let mesh = mesh().await;
        let mut trust = TrustPlan::new("RT9", "RT9OT001", PASSWORD);
        let address = mllp::free_address();
        trust.listen = Some(address);
        "look_every_seconds = 1\npoll_every_seconds = 1".clone_into(&mut trust.delivery);
        let plan = Plan {
            trusts: vec![trust],
            ..Plan::default()
        };
        Self {
            site: Site::planned(&mesh, plan),
            mesh,
            address,
            letters: (1..=9).map(canary).collect(),
        }
    }

    /// Good letters, and each kind of bad one.
    fn letters_arrive(&self) {
        let [text, docx, draft, bad, apart, typed, odd, other, _] = self.letters.as_slice() else {
            panic!("nine letters");
        };
        let site = &self.site;
        site.put("text.txt", text.to_text());
        site.put("word.docx", word(docx));
        site.put("draft.txt", draft.clone().unsigned().to_text());
        let wrong = bad
            .to_text()
            .replace(&spaced(&bad.nhs_number), "999 123 4567");
        site.put("bad.txt", wrong);
        let disagrees = format!(r#"{{"patient":{{"nhs_number":"{}"}}}}"#, other.nhs_number);
        site.put("apart.txt", apart.to_text());
        site.put("apart.json", disagrees);
        let types =
            r#"{"signed_off_at":"QUILLONIA ZEBEDEEX","patient":{"birth_date":"29/02/1924"}}"#;
        site.put("typed.txt", typed.to_text());
        site.put("typed.json", types);
        site.put("odd.txt", odd.to_text());
        site.put("odd.json", odd.to_text());
        site.put(
            "photo.bin",
            [b"\xFF\xD8\xFF\xE0 ".as_slice(), odd.to_text().as_bytes()].concat(),
        );
    }

    /// Weather that makes every kind of error speak.
    fn mesh_fails(&self) {
        let page = FaultAction::status_with_body(503, "<p>ZEBEDEEX was here</p>");
        for action in [FaultAction::DropAfter, page, FaultAction::status(429)] {
            self.mesh
                .server()
                .fault(Fault::new("POST", "*/outbox", action));
        }
        let lost = Fault::new("GET", "*/tracking*", FaultAction::status(500));
        self.mesh.server().fault(lost);
    }

    /// Messages over MLLP, good and bad, to a run that goes on for a while.
    fn run_for_a_while(&self, told: &mut Told) {
        let running = self.site.start(&[&TRACE[..], &["run"]].concat());
        let mut stream = mllp::connect(self.address);
        let good = String::from_utf8(self.letters[8].to_hl7("T02", "C1")).unwrap();
        let broken = good.replace("PID|", "PIX|");
        for (message, expected) in [
            (good.as_str(), "AA"),
            (&broken, "AR"),
            ("MSH|ZEBEDEEX^QUILLONIA", "AR"),
        ] {
            let (code, answer) = mllp::send(&mut stream, message.as_bytes());
            assert_eq!(code, expected, "{answer}");
            told.add("the answer to an HL7 message", answer);
        }
        sleep(Duration::from_secs(3));
        let outcome = running.terminate().exits(0);
        for target in ["TRACE", "letter_gateway", "hyper_util"] {
            assert!(
                outcome.stderr.contains(target),
                "{target} is not in the log"
            );
        }
        told.add("stdout of run", outcome.stdout);
        told.add("stderr of run", outcome.stderr);
    }

    fn other_commands(&self, told: &mut Told) {
        for arguments in [
            &["run", "--once"][..],
            &["run", "--once", "--json"],
            &["check"],
            &["audit", "verify"],
            &["audit", "verify", "--json"],
            &["mesh", "handshake"],
            &["mesh", "inbox"],
        ] {
            let outcome = self.site.letterbox(&[&TRACE[..], arguments].concat());
            told.add(&format!("{arguments:?}"), outcome.said());
        }
    }

    /// Everything that was written: store, names of files, reasons beside refused files.
    fn files_written(&self, told: &mut Told) {
        for path in files(&self.site.path("data")) {
            told.add(&path.to_string_lossy(), fs::read(&path).unwrap());
        }
        for path in files(self.site.folder()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(".reason.txt") {
                told.add(&name, fs::read(&path).unwrap());
            }
            told.add("the name of a file", name);
        }
    }

    /// What MESH was told beside the message itself; gives the hashes in the tokens.
    fn headers(&self, told: &mut Told) -> Vec<String> {
        let mut hashes = Vec::new();
        for request in self.mesh.server().log() {
            let token = request.token().unwrap_or_default().to_owned();
            hashes.extend(
                token
                    .rsplit(':')
                    .next()
                    .filter(|hash| hash.len() == 64)
                    .map(str::to_owned),
            );
            let headers = format!("{:?} {} {}", request.headers, request.path, request.query);
            told.add("headers to MESH", headers);
        }
        hashes
    }
}

/// Issue "What must be shown" 6.
#[tokio::test(flavor = "multi_thread")]
async fn design_5_12_nothing_that_identifies_is_seen_on_the_whole_way() {
    let cage = Cage::new().await;
    let mut told = Told { parts: Vec::new() };
    cage.letters_arrive();
    cage.mesh_fails();
    cage.run_for_a_while(&mut told);
    cage.other_commands(&mut told);
    cage.files_written(&mut told);
    let patient = patient(&cage.letters);
    let sent = cage.mesh.collect("YGM24GP1");
    assert!(
        sent.len() >= 3,
        "{} of the canary's letters were sent",
        sent.len()
    );
    assert!(
        sent.iter()
            .all(|message| !find(&message.body(), &patient).is_empty())
    );

    // A token's hash stands in the headers of its own request, and nowhere else.
    let mut headers = Told { parts: Vec::new() };
    let hashes = cage.headers(&mut headers);
    assert!(!hashes.is_empty());
    told.assert_without(&hashes);
    told.parts.extend(headers.parts);
    let numbers = cage.letters.iter().map(|letter| letter.number.clone());
    told.assert_without(&numbers.collect::<Vec<_>>());
    told.assert_without(&patient);
    told.assert_without(&secrets());
    let _ = cage.site.letterbox(&["audit", "verify"]).exits(0);
}

/// A list may show the document's number, for a person asked for it, and nothing of the patient.
#[tokio::test(flavor = "multi_thread")]
async fn lists_show_document_numbers_and_no_patient() {
    let cage = Cage::new().await;
    cage.letters_arrive();
    let _ = cage.site.run_once().exits(3);
    let mut told = Told { parts: Vec::new() };
    for command in ["status", "worklist"] {
        for arguments in [&[command][..], &[command, "--json"]] {
            let outcome = cage
                .site
                .letterbox(&[&TRACE[..], arguments].concat())
                .exits(0);
            assert!(outcome.stdout.contains("DOCCANARY-"), "{outcome:#?}");
            told.add(command, outcome.said());
        }
    }
    told.assert_without(&patient(&cage.letters));
    told.assert_without(&secrets());
}

/// The test itself can fail: what it looks for is found where it is.
#[test]
fn a_canary_that_is_there_is_found() {
    let letters = [canary(1)];
    let words = patient(&letters);
    let text = letters[0].to_text();
    assert!(find(text.as_bytes(), &words).len() >= 7, "{text}");
    assert!(find(b"nothing of the kind", &words).is_empty());
    assert_eq!(
        find(format!("key {}", "01".repeat(32)).as_bytes(), &secrets()).len(),
        1
    );
}
