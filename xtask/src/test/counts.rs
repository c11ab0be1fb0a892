//! Counting what the test runners say.

use std::fmt;

/// Results of tests; shown as the plain line that ends a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    fn add(&mut self, count: u64, what: &str) {
        match what {
            "passed" => self.passed += count,
            "failed" | "timed out" | "exec failed" => self.failed += count,
            "skipped" | "ignored" => self.skipped += count,
            _ => {}
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// Reads the `Summary` line of nextest; none when it did not come so far.
pub(crate) fn of_nextest(text: &str) -> Option<Counts> {
    let plain = without_colours(text);
    let summary = plain
        .lines()
        .rev()
        .find(|line| line.trim_start().starts_with("Summary ["))?;
    let (_, results) = summary.split_once("run:")?;
    Some(sum(&without_brackets(results), ','))
}

/// Sums the `test result:` lines of `cargo test`.
pub(crate) fn of_libtest(text: &str) -> Counts {
    without_colours(text)
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("test result: "))
        .filter_map(|line| line.split_once(". "))
        .map(|(_, results)| sum(results, ';'))
        .fold(Counts::default(), Counts::and)
}

fn sum(results: &str, separator: char) -> Counts {
    let mut counts = Counts::default();
    for part in results.split(separator) {
        let Some((count, what)) = part.trim().split_once(' ') else {
            continue;
        };
        if let Ok(count) = count.parse() {
            counts.add(count, what.trim());
        }
    }
    counts
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|letter| match letter {
            '(' => {
                depth += 1;
                false
            }
            ')' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

// Colours are ESC, `[`, figures, `m`.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split('\u{1b}');
    plain.push_str(parts.next().unwrap_or(""));
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn the_summary_of_nextest_is_read() {
        let text = "        PASS [   0.004s] nhs-types a\n------------\n     \
                    Summary [   0.511s] 123 tests run: 123 passed, 4 skipped\n";
        assert_eq!(of_nextest(text), Some(counts(123, 0, 4)));
    }

    #[test]
    fn slow_flaky_and_timed_out_are_counted_where_they_belong() {
        let text = "     Summary [ 60.011s] 10 tests run: 6 passed (2 slow, 1 flaky), \
                    2 failed, 1 timed out, 1 exec failed, 0 skipped";
        assert_eq!(of_nextest(text), Some(counts(6, 4, 0)));
    }

    #[test]
    fn a_run_cut_short_is_read() {
        let text = "     Summary [ 0.011s] 2/10 tests run: 1 passed, 1 failed, 0 skipped\n";
        assert_eq!(of_nextest(text), Some(counts(1, 1, 0)));
    }

    #[test]
    fn colours_do_not_matter() {
        let text = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m1\u{1b}[0m test run: \
                    \u{1b}[1m1\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m skipped";
        assert_eq!(of_nextest(text), Some(counts(1, 0, 0)));
    }

    #[test]
    fn a_build_that_failed_gives_no_counts() {
        assert_eq!(of_nextest("error: could not compile `nhs-types`"), None);
    }

    #[test]
    fn every_result_line_of_cargo_test_is_summed() {
        let text = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out\n\
                    running 2 tests\n\
                    test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(of_libtest(text), counts(13, 1, 1));
    }

    #[test]
    fn the_closing_line_has_our_words() {
        assert_eq!(counts(1, 2, 3).to_string(), "1 passed, 2 failed, 3 skipped");
        assert_eq!(counts(1, 2, 3).and(counts(1, 0, 1)), counts(2, 2, 4));
    }
}
