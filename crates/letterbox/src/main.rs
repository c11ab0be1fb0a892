//! Carries a hospital trust's signed letters to GP practices over NHS MESH, and proves it.
//!
//! The program wires the crates of Letterbox together: configuration, logging, commands. What it
//! does with letters stands in `letter-gateway` and below.
//!
//! | module | holds |
//! | --- | --- |
//! | `cli` | names and flags of every command |
//! | `config` | `letterbox.toml`, checked when it is read |
//! | `open` | from configuration to a trust's store, mailbox and pipeline |
//! | `commands` | one file for each command |
//! | `demo` | a MESH, a trust and practices in one process |
//! | `ledger` | the ledger signed, witnessed and anchored |
//! | `exit`, `output` | exit codes, and what is printed where |
//! | `metrics` | gauges of every trust, and Prometheus text over HTTP |
//! | `platform` | what differs between operating systems |
//! | `traces` | spans over OTLP, with the feature `otlp` |

mod cli;
mod commands;
mod config;
mod demo;
mod desk;
mod exit;
mod ledger;
mod metrics;
mod open;
mod output;
mod platform;
#[cfg(feature = "otlp")]
mod traces;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    #[cfg(feature = "otlp")]
    let traces = match traces::Traces::start() {
        Ok(traces) => traces,
        Err(exit) => return exit.report(),
    };
    #[cfg(feature = "otlp")]
    output::start_log(
        arguments.log_filter(),
        traces.as_ref().map(traces::Traces::layer),
    );
    #[cfg(not(feature = "otlp"))]
    output::start_log(
        arguments.log_filter(),
        tracing_subscriber::layer::Identity::new(),
    );
    output::keep_panics_silent();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit::Exit::Unavailable(error.to_string()).report(),
    };
    match runtime.block_on(commands::run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => exit.report(),
    }
}
