//! Sections and paragraphs (source-documents section 2, rules 4 and 5).

use super::{CELL_BREAK, Line, LineKind};
use crate::Section;
use crate::labels::Labels;

/// How lines become paragraphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joining {
    /// Lines were wrapped at a width: join what belongs together.
    Wrapped,
    /// Each line stands for itself.
    Lines,
}

/// Columns from which a line counts as full, so that the next may go on with it.
const FULL_COLUMNS: usize = 55;

/// Makes sections of the lines of a letter's content.
pub(crate) fn sections(lines: &[Line], labels: &Labels, joining: Joining) -> Vec<Section> {
    let mut made = Vec::new();
    let mut heading = "";
    let mut held: Vec<&str> = Vec::new();
    for line in lines {
        let Some((next, rest)) = opened(line, labels) else {
            held.push(line.text.trim_end());
            continue;
        };
        close(heading, &held, joining, &mut made);
        heading = next;
        held.clear();
        held.extend((!rest.is_empty()).then_some(rest));
    }
    close(heading, &held, joining, &mut made);
    made
}

fn opened<'a>(line: &'a Line, labels: &Labels) -> Option<(&'a str, &'a str)> {
    match line.kind {
        LineKind::Heading(_) if !line.is_blank() => {
            Some((line.text.trim().trim_end_matches(':'), ""))
        }
        LineKind::Plain => labels.heading(&line.text),
        _ => None,
    }
}

fn close(heading: &str, lines: &[&str], joining: Joining, made: &mut Vec<Section>) {
    let (text, preformatted) = match joining {
        Joining::Lines => (lines.join("\n"), false),
        Joining::Wrapped => wrapped(lines),
    };
    let text = trim_blank_lines(&text).replace(CELL_BREAK, " ");
    if heading.is_empty() && text.is_empty() {
        return;
    }
    let section = Section::new(heading, text);
    made.push(if preformatted {
        section.preformatted()
    } else {
        section
    });
}

/// Drops blank lines at both ends and doubles between; leading blanks of a line stay.
fn trim_blank_lines(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in text.split('\n').map(str::trim_end) {
        let doubled = kept.last().is_none_or(|last| last.is_empty());
        if !(line.is_empty() && doubled) {
            kept.push(line);
        }
    }
    while kept.last().is_some_and(|last| last.is_empty()) {
        kept.pop();
    }
    kept.join("\n")
}

fn wrapped(lines: &[&str]) -> (String, bool) {
    let mut made: Vec<String> = Vec::new();
    let mut preformatted = false;
    for block in lines.split(|line| line.is_empty()) {
        if is_preformatted(block) {
            preformatted = true;
            made.push(block.join("\n"));
        } else {
            made.push(joined(block));
        }
        made.push(String::new());
    }
    (made.join("\n"), preformatted)
}

fn joined(block: &[&str]) -> String {
    let mut text = String::new();
    let mut former: Option<&str> = None;
    for line in block {
        match former {
            Some(former) if goes_on(former, line) => text.push(' '),
            Some(_) => text.push('\n'),
            None => {}
        }
        text.push_str(line);
        former = Some(line);
    }
    text
}

fn goes_on(former: &str, line: &str) -> bool {
    former.chars().count() >= FULL_COLUMNS
        && !line.starts_with([' ', '\t'])
        && !starts_list_item(line)
}

fn starts_list_item(line: &str) -> bool {
    let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = numbered.len() < line.len() && numbered.starts_with(['.', ')']);
    // A decimal such as `2.5 mg` at the start of a wrapped line is no list number.
    let spaced = numbered.get(1..).is_some_and(|rest| rest.starts_with(' '));
    (number && spaced) || line.starts_with(['-', '*', '•'])
}

/// Two or more lines in a row, each with two or more spaces inside.
fn is_preformatted(block: &[&str]) -> bool {
    let columned = |line: &&str| line.trim().contains("  ") || line.trim().contains('\t');
    block.windows(2).any(|pair| pair.iter().all(columned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReadOptions;

    fn made(lines: &[&str]) -> Vec<(String, String, bool)> {
        let lines: Vec<Line> = lines.iter().map(|line| Line::plain(*line)).collect();
        let labels = Labels::new(&ReadOptions::default());
        sections(&lines, &labels, Joining::Wrapped)
            .into_iter()
            .map(|one| {
                let heading = one.heading.map(|heading| heading.into_exposed());
                (
                    heading.unwrap_or_default(),
                    one.text.into_exposed(),
                    one.preformatted,
                )
            })
            .collect()
    }

    const FULL: &str = "Her disease is well controlled with a DAS28 score of 2.1 and";

    #[test]
    fn rule_5_a_full_line_goes_on_unless_the_next_stands_for_itself() {
        let text = |next: &str| made(&["PLAN:", FULL, next])[0].1.clone();
        assert_eq!(text("no pain."), format!("{FULL} no pain."));
        assert_eq!(text("2.5 mg daily"), format!("{FULL} 2.5 mg daily"));
        for own in ["1. Rest", "- Rest", "* Rest", "  indented"] {
            assert_eq!(text(own), format!("{FULL}\n{own}"));
        }
    }

    #[test]
    fn rule_5_full_begins_at_55_columns() {
        let text = |columns: usize| made(&["PLAN:", &"x".repeat(columns), "y"])[0].1.clone();
        assert!(text(FULL_COLUMNS).ends_with("x y"));
        assert!(text(FULL_COLUMNS - 1).ends_with("x\ny"));
    }

    #[test]
    fn rule_5_columns_stay_as_they_stand() {
        let table = ["DRUG          DOSE", "Paracetamol   1 g"];
        let section = made(&["MEDICATION:", table[0], table[1], "", FULL, "end"]).remove(0);
        assert_eq!(
            section.1,
            format!("{}\n{}\n\n{FULL} end", table[0], table[1])
        );
        assert!(section.2);
        assert!(!made(&["MEDICATION:", table[0], "plain"])[0].2);
    }

    #[test]
    fn rule_4_text_before_the_first_heading_is_kept() {
        let all = made(&["Dear Dr Patel", "", "DIAGNOSIS:", "Gout", "", "PLAN: rest"]);
        let seen: Vec<_> = all
            .iter()
            .map(|one| (one.0.as_str(), one.1.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                ("", "Dear Dr Patel"),
                ("DIAGNOSIS", "Gout"),
                ("PLAN", "rest")
            ]
        );
    }
}
