//! Pages of a report: banner, head between two rules, body (source-documents section 2, rule 1).

use nhs_types::Location;

use crate::labels::columns;
use crate::reading::{Notes, Refusal};
use crate::{ReadOptions, Reason};

/// A page, its lines sorted by what they are.
#[derive(Debug, Default)]
pub(super) struct Page<'a> {
    banner: Vec<&'a str>,
    pub(super) head: Vec<&'a str>,
    pub(super) body: Vec<&'a str>,
}

impl<'a> Page<'a> {
    /// The parts of the banner's lines; one of them may be a mark such as `DRAFT`.
    pub(super) fn banner_parts(&self) -> impl Iterator<Item = &'a str> {
        self.banner.iter().flat_map(|line| columns(line))
    }

    fn number(&self) -> Option<(usize, usize)> {
        self.banner_parts().find_map(page_number)
    }
}

/// Splits a report into its pages. The first must have a head; on later pages the patient's line
/// stands between rules, or nothing does.
pub(super) fn split<'a>(text: &'a str, options: &ReadOptions) -> Result<Vec<Page<'a>>, Refusal> {
    let mut parts: Vec<&str> = text.split('\u{c}').collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.trim().is_empty()) {
        parts.pop();
    }
    let pages_max = options.limits.pages;
    if parts.len() > pages_max {
        let why = format!(
            "the report has {} pages, the limit is {pages_max}",
            parts.len()
        );
        return Err(Refusal::new(Reason::TooLarge, Location::Whole, why));
    }
    let mut pages: Vec<Page<'_>> = Vec::with_capacity(parts.len());
    for part in parts {
        pages.push(page(part, pages.is_empty(), options));
    }
    if pages.first().is_none_or(|page| page.head.is_empty()) {
        let why = "no head between two rules of dashes: this is no report, or of another layout";
        return Err(Refusal::new(Reason::Malformed, Location::Line(1), why));
    }
    Ok(pages)
}

fn page<'a>(text: &'a str, first: bool, options: &ReadOptions) -> Page<'a> {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut rules = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| is_rule(line))
        .map(|(index, _)| index);
    let bounds = rules.next().zip(rules.next());
    let bounds = bounds.filter(|(from, _)| first || only_furniture(lines.get(..*from)));
    let Some((from, to)) = bounds else {
        return without_head(&lines, options);
    };
    let range = |from: usize, to: usize| lines.get(from..to).unwrap_or_default().to_vec();
    Page {
        banner: range(0, from),
        head: range(from + 1, to),
        body: body(lines.get(to + 1..).unwrap_or_default(), options),
    }
}

fn without_head<'a>(lines: &[&'a str], options: &ReadOptions) -> Page<'a> {
    let furniture = lines
        .iter()
        .take_while(|line| line.trim().is_empty() || is_furniture(line))
        .count();
    let (banner, rest) = lines.split_at_checked(furniture).unwrap_or_default();
    Page {
        banner: banner.to_vec(),
        head: Vec::new(),
        body: body(rest, options),
    }
}

fn only_furniture(lines: Option<&[&str]>) -> bool {
    lines.is_some_and(|lines| {
        lines.len() <= BANNER_LINES_MAX && lines.iter().any(|line| is_furniture(line))
    })
}

/// Lines above the first rule of a page.
const BANNER_LINES_MAX: usize = 6;

fn is_furniture(line: &str) -> bool {
    columns(line).any(|part| page_number(part).is_some() || part.starts_with("RUN DATE:"))
}

fn body<'a>(lines: &[&'a str], options: &ReadOptions) -> Vec<&'a str> {
    let continued = |line: &str| {
        let text = line.trim().trim_matches('*').trim().to_uppercase();
        options
            .continued_marks
            .iter()
            .any(|mark| mark.to_uppercase() == text)
    };
    lines
        .iter()
        .copied()
        .filter(|line| !continued(line))
        .collect()
}

const RULE_COLUMNS_MIN: usize = 20;

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= RULE_COLUMNS_MIN
        && ["-", "=", "_"]
            .iter()
            .any(|c| line.trim_matches(|d: char| c.contains(d)).is_empty())
}

/// Reads `PAGE n of m`.
fn page_number(part: &str) -> Option<(usize, usize)> {
    let words: Vec<&str> = part.split_whitespace().collect();
    match words.as_slice() {
        [page, number, of, count]
            if page.eq_ignore_ascii_case("page") && of.eq_ignore_ascii_case("of") =>
        {
            Some((number.parse().ok()?, count.parse().ok()?))
        }
        _ => None,
    }
}

/// Page n of m must be the nth of m pages, where the pages say so.
pub(super) fn check_count(pages: &[Page<'_>], notes: &mut Notes) {
    let numbers: Vec<Option<(usize, usize)>> = pages.iter().map(Page::number).collect();
    if numbers.iter().all(Option::is_none) {
        return;
    }
    for (index, number) in numbers.iter().enumerate() {
        if *number != Some((index + 1, pages.len())) {
            let place = Location::Named(format!("page {}", index + 1));
            let why = format!("expected page {} of {}", index + 1, pages.len());
            notes.stop(Reason::IncompleteDocument, place, &why);
            return;
        }
    }
}
