//! Steps that are all run, with a list of the failed ones at the end.

use std::time::Instant;

use crate::failure::{Failure, Outcome};
use crate::say::say;

#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, u64, Option<Failure>)>,
}

impl Steps {
    /// Runs one step, says its name, its time and how it ended.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Outcome) {
        say(format_args!("\n== {name}"));
        let begin = Instant::now();
        let failure = work().err();
        let seconds = begin.elapsed().as_secs();
        match &failure {
            None => say(format_args!("== {name}: ok, {seconds} s")),
            Some(failure) => say(format_args!("== {name}: FAILED, {seconds} s: {failure}")),
        }
        self.done.push((name, seconds, failure));
    }

    /// Whether any step failed up to now.
    pub(crate) fn any_failed(&self) -> bool {
        self.done.iter().any(|(_, _, failure)| failure.is_some())
    }

    /// Says every step once more in a line, and fails when one of them did.
    pub(crate) fn finish(self) -> Outcome {
        say("");
        for (name, seconds, failure) in &self.done {
            let verdict = if failure.is_some() { "FAILED" } else { "ok" };
            say(format_args!("{verdict:<7} {name:<12} {seconds:>5} s"));
        }
        if !self.any_failed() {
            return Ok(());
        }
        let failed = self.done.iter().filter(|(_, _, failure)| failure.is_some());
        let names: Vec<&str> = failed.map(|(name, _, _)| *name).collect();
        Err(Failure::new(format!("failed: {}", names.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_does_not_hide_the_later_ones() {
        let mut steps = Steps::default();
        let mut ran = false;
        steps.step("first", || Err(Failure::new("broken")));
        steps.step("second", || {
            ran = true;
            Ok(())
        });
        assert!(ran);
        assert_eq!(steps.finish().unwrap_err().to_string(), "failed: first");
    }

    #[test]
    fn all_good_is_good() {
        let mut steps = Steps::default();
        steps.step("only", || Ok(()));
        assert!(steps.finish().is_ok());
    }
}
