//! Any JSON as a routing case: unreadable, or decided.
#![no_main]

use std::sync::LazyLock;

use gp_routing::{CaseFile, PracticeTable, SAMPLE_TABLE, TableLimits, decide_all};
use libfuzzer_sys::fuzz_target;

static TABLE: LazyLock<PracticeTable> = LazyLock::new(|| {
    PracticeTable::read(SAMPLE_TABLE.as_bytes(), &TableLimits::at_least(1))
        .expect("our own table is good")
});

fuzz_target!(|data: &[u8]| {
    if let Ok(file) = serde_json::from_slice::<CaseFile>(data) {
        let decisions = decide_all(&file.into_case(chrono::DateTime::UNIX_EPOCH), &TABLE);
        assert!(!decisions.is_empty());
        assert!(
            decisions
                .iter()
                .all(|decision| !decision.explanation.is_empty())
        );
    }
});
