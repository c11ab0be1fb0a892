//! The demo runs, and says at its end that the ledger was verified.

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// The line with which the demo reports its ledger.
const VERIFIED: &str = "verified";

pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let arguments = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "letterbox",
        "--",
        "demo",
    ];
    let (status, text) = process::tee(&mut process::cargo(workspace, arguments))?;
    if !status.success() {
        return Err(Failure::new(format!("the demo ended with {status}")));
    }
    if !is_verified(&text) {
        return Err(Failure::new(format!("the demo never said {VERIFIED:?}")));
    }
    Ok(())
}

fn is_verified(text: &str) -> bool {
    text.lines().any(|line| line.trim() == VERIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_alone_counts() {
        assert!(is_verified("The ledger\n  root 37\n  verified\n"));
        assert!(!is_verified("The ledger\n  NOT verified: V6 at 12\n"));
        assert!(!is_verified("every byte was verified\n"));
    }
}
