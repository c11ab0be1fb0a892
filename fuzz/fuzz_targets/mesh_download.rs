//! Any answers as the chunks of a message: whole and within the limit, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_client::MessageId;
use mesh_client::proto::{Answer, Assembly, Step};

const BYTES_MAX: usize = 4096;
const NAMES: [&str; 6] = [
    "content-encoding",
    "content-length",
    "mex-chunk-range",
    "mex-content-compressed",
    "mex-content-checksum",
    "mex-messagetype",
];

fuzz_target!(|answers: Vec<(bool, Vec<(u8, &[u8])>, Vec<u8>)>| {
    let id = MessageId::parse("20200601122152994285_D59900").expect("an id of the service");
    let mut assembly = Assembly::new(id, BYTES_MAX);
    for (is_last, headers, body) in answers {
        let headers = headers
            .iter()
            .filter_map(|(name, value)| Some((*NAMES.get(usize::from(*name))?, *value)));
        let status = if is_last { 200 } else { 206 };
        match assembly.take(Answer::new(status, headers, body)) {
            Ok(Step::Fetch(next, _)) => assembly = next,
            Ok(Step::Complete(message)) => {
                assert!(message.body.len() <= BYTES_MAX);
                return;
            }
            Err(_) => return,
        }
    }
});
