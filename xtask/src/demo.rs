//! The demo runs, and says at its end that the ledger was verified.

use crate::failure::{Failure, Outcome};
use crate::process;
use crate::workspace::Workspace;

/// The word with which the demo reports its ledger.
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
    if !text.contains(VERIFIED) {
        return Err(Failure::new(format!("the demo never said {VERIFIED:?}")));
    }
    Ok(())
}
