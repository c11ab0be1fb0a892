use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use letter_delivery::RefKind;
use nhs_types::OdsCode;

/// Of so many equal searches the slowest counts.
const ROUNDS: u64 = 20;

pub(crate) async fn open(folder: &Path) -> Result<String, Box<dyn Error>> {
    let before = resident_kb()?;
    let store = super::store(folder)?;
    let keys = super::key()?.trust_keys(code("RXX"));
    let load = store.load().await?;
    let letters = load.events / 8;
    let mut slowest = [Duration::ZERO; 2];
    for round in 0..ROUNDS {
        let number = letters / ROUNDS * round;
        let document = keys.reference(RefKind::Document, &format!("DOC-{number}"));
        let begin = Instant::now();
        let found = store.find(RefKind::Document, document).await?;
        slowest[0] = slowest[0].max(begin.elapsed());
        let [key] = found[..] else {
            return Err(format!("{} letters under one number", found.len()).into());
        };
        let begin = Instant::now();
        let history = store.history(key).await?;
        slowest[1] = slowest[1].max(begin.elapsed());
        if history.is_empty() {
            return Err("a letter without events".into());
        }
    }
    let grown = resident_kb()?.saturating_sub(before);
    let [document, history] = slowest.map(|time| time.as_secs_f64() * 1e3);
    Ok(format!(
        "{{\"events\": {}, \"letters\": {letters}, \"resident_kb\": {grown}, \
         \"document_ms\": {document:.2}, \"history_ms\": {history:.2}}}",
        load.events
    ))
}

/// A code of this bench, which is always one.
#[expect(clippy::expect_used, reason = "a constant of this bench")]
pub(crate) fn code(text: &str) -> OdsCode {
    OdsCode::parse(text).expect("a code")
}

fn resident_kb() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().next());
    Ok(figure.ok_or("no VmRSS in /proc/self/status")?.parse()?)
}
