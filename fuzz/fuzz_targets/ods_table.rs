//! Any bytes as a practice table: refused whole, or every row of it is a practice.
#![no_main]

use gp_routing::{PracticeTable, TableLimits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(table) = PracticeTable::read(data, &TableLimits::at_least(1)) {
        assert_eq!(table.practices().count(), table.len());
        for practice in table.practices() {
            assert_eq!(table.practice(practice.code()), Some(practice));
        }
    }
});
