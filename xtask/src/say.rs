//! Lines for the person at the terminal.

use std::fmt;
use std::io::Write;

/// Writes one line to standard output; a closed output is no reason to stop.
pub(crate) fn say(line: impl fmt::Display) {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{line}").and_then(|()| out.flush());
    drop(written);
}
