//! Any body as an endpoint lookup, with any status.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_client::proto;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    drop(proto::read_lookup(&letterbox_fuzz::answer(200, body)));
    drop(proto::read_lookup(&letterbox_fuzz::answer(status, body)));
});
