//! Format, clippy and documentation.

use crate::failure::Outcome;
use crate::process::{cargo, run};
use crate::workspace::Workspace;

/// Whether everything is formatted, the fuzz targets too.
pub(crate) fn format(workspace: &Workspace) -> Outcome {
    run(&mut cargo(workspace, ["fmt", "--all", "--check"]))?;
    let fuzz = ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"];
    run(&mut cargo(workspace, fuzz))
}

/// Clippy on everything, warnings being errors.
pub(crate) fn clippy(workspace: &Workspace) -> Outcome {
    let mut clippy = cargo(
        workspace,
        ["clippy", "--quiet", "--workspace", "--all-targets"],
    );
    run(clippy.args(["--all-features", "--", "-Dwarnings"]))
}

/// The documentation, warnings being errors.
pub(crate) fn docs(workspace: &Workspace) -> Outcome {
    let mut doc = cargo(workspace, ["doc", "--quiet", "--workspace", "--no-deps"]);
    run(doc.arg("--all-features").env("RUSTDOCFLAGS", "-Dwarnings"))
}
