//! Any bytes as the document in a Kettering message, in base64 and as they stand.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kettering_xml::{Mode, parse};
use libfuzzer_sys::fuzz_target;

const MESSAGE: &str = include_str!("../seeds/kettering_parse/k02-clinic-edt-pdf.xml");

fuzz_target!(|data: &[u8]| {
    let found = parse(&message(STANDARD.encode(data).as_bytes()), Mode::Lenient).payload;
    if data.is_empty() {
        return;
    }
    let found = found.expect("a document that is not empty is found");
    // Text may be cleaned on its way out; what is no text comes out byte for byte.
    if found.text().is_none() {
        assert_eq!(found.bytes, data);
    }
    drop(parse(&message(data), Mode::Lenient));
});

fn message(block: &[u8]) -> Vec<u8> {
    let (head, rest) = MESSAGE
        .split_once("<TextBlock>")
        .expect("the sample has a document");
    let (_, tail) = rest.split_once("</TextBlock>").expect("and its end");
    [
        head.as_bytes(),
        b"<TextBlock>",
        block,
        b"</TextBlock>",
        tail.as_bytes(),
    ]
    .concat()
}
