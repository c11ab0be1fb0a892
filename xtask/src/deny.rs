//! Licences, bans and sources of everything that we depend on (`deny.toml`).

use crate::failure::Outcome;
use crate::process;
use crate::tools::DENY;
use crate::workspace::Workspace;

/// Runs `cargo-deny`; advisories need a database from the network and are not asked here.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let mut deny = process::program(workspace, DENY.ensure(workspace)?);
    deny.args([
        "--all-features",
        "--log-level=error",
        "check",
        "--hide-inclusion-graph",
    ]);
    process::run(deny.args(["licenses", "bans", "sources"]))
}
