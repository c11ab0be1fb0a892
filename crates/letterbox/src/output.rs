//! What is printed where: answers on stdout, everything else on stderr.

use std::io::{self, Write as _};

use serde::Serialize;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::exit::Exit;

/// Prints one line of an answer.
pub(crate) fn say(line: &str) -> Result<(), Exit> {
    write_out(line.as_bytes())
}

/// Prints one JSON document on one line.
pub(crate) fn say_json(value: &impl Serialize) -> Result<(), Exit> {
    let text = serde_json::to_string(value)
        .map_err(|error| Exit::Unavailable(format!("the answer cannot be written: {error}")))?;
    write_out(text.as_bytes())
}

/// Prints a text that ends its last line itself.
pub(crate) fn say_text(text: &str) -> Result<(), Exit> {
    write_all(text.as_bytes(), b"")
}

fn write_out(bytes: &[u8]) -> Result<(), Exit> {
    write_all(bytes, b"\n")
}

fn write_all(bytes: &[u8], end: &[u8]) -> Result<(), Exit> {
    let mut out = io::stdout().lock();
    let done = out
        .write_all(bytes)
        .and_then(|()| out.write_all(end))
        .and_then(|()| out.flush());
    match done {
        // The reader has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Exit::from),
    }
}

/// Says why a command did not succeed.
pub(crate) fn complain(text: &str) {
    // When even stderr is gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "letterbox: {text}");
}

/// Logs go to stderr, filtered by level or by target.
/// Traces, where there are any, take all spans.
pub(crate) fn start_log(filter: &str, traces: impl Layer<Registry> + Send + Sync) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(io::stderr)
        .with_filter(filter);
    // A second start is a test in the same process: the first log stays.
    let _ = Registry::default().with(traces).with(log).try_init();
}

/// A panic's message may hold what was being read: only its place is told.
pub(crate) fn keep_panics_silent() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "?".to_owned(), ToString::to_string);
        complain(&format!(
            "a fault in this program, at {place}: please report it"
        ));
    }));
}

/// A table for people: columns as wide as their widest cell.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells
            .chain(heads.get(column).map(|head| head.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let line = |cells: &[String]| {
        let padded = cells.iter().enumerate().map(|(column, cell)| {
            let space = width(column).saturating_sub(cell.chars().count());
            format!("{cell}{}", " ".repeat(space))
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    std::iter::once(line(&heads))
        .chain(rows.iter().map(|row| line(row)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![
            vec!["a".to_owned(), "bb".to_owned()],
            vec!["ccc".to_owned(), String::new()],
        ];
        assert_eq!(table(&["x", "y"], &rows), ["x    y", "a    bb", "ccc"]);
    }
}
