//! Any bytes as an event: what is taken has one form in bytes only.
#![no_main]

use audit_core::{Event, EventBody};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(event) = Event::parse(data) {
        assert_eq!(event.to_canonical().as_deref(), Ok(data));
    }
    if let Ok(body) = EventBody::parse_body(data) {
        assert_eq!(body.to_canonical().as_deref(), Ok(data));
    }
});
