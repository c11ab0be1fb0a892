//! How long does one letter take to be read, to be shaped, and to be built as a message?
//!
//! Reading is measured on the samples of each source, building on a discharge letter of 19 kB,
//! which is the usual size of a message with a page of HTML.

#![expect(
    clippy::expect_used,
    reason = "a bench whose sample is bad has no figure to give"
)]

use std::hint::black_box;

use chrono::DateTime;
use clinical_letter::{Letter, ReadOptions, read};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kettering_xml::{Message, Mode, Payload, Profile, build, parse};
use letter_shape::{Envelope, ReceiverProfile, shape};
use nhs_types::OdsCode;

const TEXT: &[u8] = include_bytes!("../data/t01-clinic-plain.txt");
const DOCX: &[u8] = include_bytes!("../data/w01-headings.docx");
const HL7: &[u8] = include_bytes!("../data/h01-mdm-t02-tx-lines.hl7");
const KETTERING: &[u8] = include_bytes!("../data/k01-discharge-edt-html.xml");

const MESSAGE_BYTES: usize = 19_000;

/// How long does a letter take from its bytes to the neutral form, for each source?
fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("letter read");
    for (name, source) in [("text", TEXT), ("docx", DOCX), ("hl7", HL7)] {
        letter(source);
        group.throughput(Throughput::Bytes(source.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| read(black_box(source), &ReadOptions::default()));
        });
    }
    group.finish();
}

/// How long does a message of 19 kB take to be checked, written, read back and compared; and to be
/// read where it arrives?
fn building(criterion: &mut Criterion) {
    let message = message();
    let built = build(&message, &Profile::default()).expect("the sample is good");
    assert!(
        built.bytes.len().abs_diff(MESSAGE_BYTES) < 500,
        "{}",
        built.bytes.len()
    );
    let mut group = criterion.benchmark_group("kettering 19 kB");
    group.throughput(Throughput::Bytes(built.bytes.len() as u64));
    group.bench_function("build", |bencher| {
        bencher.iter(|| build(black_box(&message), &Profile::default()));
    });
    group.bench_function("parse", |bencher| {
        bencher.iter(|| parse(black_box(&built.bytes), Mode::Lenient));
    });
    group.finish();
}

/// How long does a letter take from the neutral form to the proven artefact?
fn shaping(criterion: &mut Criterion) {
    let letter = letter(TEXT);
    let profile = ReceiverProfile::new("bench");
    let envelope = envelope();
    shape(&letter, &profile, &envelope).expect("the sample can be shaped");
    criterion.bench_function("letter shape and prove", |bencher| {
        bencher.iter(|| shape(black_box(&letter), &profile, &envelope));
    });
}

fn letter(source: &[u8]) -> Letter {
    let reading = read(source, &ReadOptions::default()).into_iter().next();
    let reading = reading.expect("every document has a reading");
    reading.into_letter().expect("the sample may be sent")
}

fn message() -> Message {
    let parsed = parse(KETTERING, Mode::Lenient).message;
    let mut message = parsed.expect("the sample is good");
    let paragraph = "<p>Seen in clinic, doing well &amp; walking without help.</p>\n";
    let (head, tail) = ("<html><body>\n", "</body></html>");
    message.payload = Payload::Html(format!("{head}{tail}"));
    let empty = build(&message, &Profile::default()).expect("the sample is good");
    // Within CDATA or escaped, a paragraph takes as many bytes as one more of them adds.
    message.payload = Payload::Html(format!("{head}{paragraph}{tail}"));
    let one = build(&message, &Profile::default()).expect("the sample is good");
    let each = one.bytes.len() - empty.bytes.len();
    let count = (MESSAGE_BYTES - empty.bytes.len()) / each;
    message.payload = Payload::Html(format!("{head}{}{tail}", paragraph.repeat(count)));
    message
}

fn envelope() -> Envelope {
    let code = |code| OdsCode::parse(code).expect("a code of the samples");
    let now = DateTime::UNIX_EPOCH;
    Envelope::new(
        "M-1",
        "R-1",
        (code("RZZ"), "Trust"),
        code("Y99001"),
        "Clinic",
        now,
    )
}

criterion_group!(benches, reading, building, shaping);
criterion_main!(benches);
