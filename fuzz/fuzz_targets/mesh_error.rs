//! Any body as an error answer, which never repeats a secret of the request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_client::proto::parse_problem;

const SECRET: &str = "correct horse battery";

fuzz_target!(|data: &[u8]| {
    let bodies = [
        data.to_vec(),
        [
            br#"{"detail":[{"msg":""#,
            data,
            SECRET.as_bytes(),
            br#""}]}"#,
        ]
        .concat(),
    ];
    for body in bodies {
        let problem = parse_problem(&body, &[SECRET]);
        assert!(!format!("{problem:?}").contains(SECRET));
    }
});
