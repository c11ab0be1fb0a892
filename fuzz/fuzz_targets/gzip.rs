//! Any bytes as gzip: never more than the limit comes out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_client::proto::decode_gzip;

const BYTES_MAX: usize = 65_536;

fuzz_target!(|data: &[u8]| {
    if let Ok(unpacked) = decode_gzip(data, BYTES_MAX) {
        assert!(unpacked.len() <= BYTES_MAX);
    }
});
