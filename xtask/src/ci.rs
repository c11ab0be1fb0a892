//! `ci`: every check, with one command.

use crate::failure::{Failure, Outcome};
use crate::steps::Steps;
use crate::tools::NEXTEST;
use crate::workspace::Workspace;
use crate::{api, bench, demo, deny, features, floors, fuzz, lints, test};

const FUZZ_SECONDS: u64 = 4;

pub(crate) fn command(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    if !arguments.is_empty() {
        return Err(Failure::new("usage: cargo xtask ci"));
    }
    let mut steps = Steps::default();
    steps.step("floors", || floors::command(workspace, &[]));
    steps.step("format", || lints::format(workspace));
    steps.step("clippy", || lints::clippy(workspace));
    steps.step("docs", || lints::docs(workspace));
    steps.step("purity", || features::check_purity(workspace));
    steps.step("features", || features::check(workspace));
    steps.step("licences", || deny::check(workspace));
    steps.step("api", || api::command(workspace, &[]));
    steps.step("test", || all_tests(workspace));
    steps.step("demo", || demo::check(workspace));
    steps.step("benches", || bench::check(workspace));
    steps.step("fuzz", || fuzz::each(workspace, FUZZ_SECONDS));
    steps.finish()
}

fn all_tests(workspace: &Workspace) -> Outcome {
    if !test::has_nextest(workspace) {
        NEXTEST.ensure(workspace)?;
    }
    test::run(workspace, true)
}
