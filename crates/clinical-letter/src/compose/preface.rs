//! What stands before the first section: title, marks, labels. Whatever is none of them is
//! content, and so is what shares a line with a label and is not understood.

use nhs_types::Sensitive;

use super::marks::Marks;
use super::{CELL_BREAK, Line, LineKind, Rules};
use crate::head::Head;
use crate::labels::Labels;
use crate::names::names_a_gp;
use crate::{Field, SourceDocument};

/// Reads title, marks and labels, and gives the lines that are content.
pub(super) fn read(
    body: &[Line],
    rules: Rules,
    labels: &Labels,
    marks: &Marks<'_>,
    cancelled: bool,
    (source, head): (&mut SourceDocument, &mut Head),
) -> Vec<Line> {
    let has_heading = body.iter().any(|line| line.kind == LineKind::Heading(1));
    let mut content = Vec::new();
    let mut written = 0_usize;
    let mut in_head = true;
    let mut lines = body.iter().peekable();
    while let Some(line) = lines.next_if(|line| !opens_section(line, rules, labels, source)) {
        written += usize::from(!line.is_blank());
        let (pairs, whole) = head_pairs(line, rules, labels);
        if marks.is_banner(&line.text, written) {
            continue;
        }
        if marks.read_tie(&line.text, cancelled, source) {
            continue;
        }
        if in_head && !pairs.is_empty() {
            let kept = !whole || pairs.iter().any(|pair| is_doubtful(pair, head));
            head.add(pairs);
            content.extend(kept.then(|| line.clone()));
        } else if source.document.title.is_none() && may_be_title(line, has_heading) {
            source.document.title = Some(Sensitive::new(line.text.trim().to_owned()));
        } else {
            // After the patient's labels, a line of plain text ends the head: labels below it
            // are the letter's own words.
            in_head &= line.is_blank() || head.first(Field::PatientName).is_none();
            content.push(line.clone());
        }
    }
    content.extend(lines.cloned());
    content
}

fn may_be_title(line: &Line, has_heading: bool) -> bool {
    match line.kind {
        LineKind::Heading(level) => level == 1,
        LineKind::Plain => {
            !has_heading && !line.is_blank() && !super::marks::is_starred(&line.text)
        }
        LineKind::Row => false,
    }
}

/// A label that came before, or a GP who is none: `GP: please check U&E` is an instruction.
fn is_doubtful((field, value): &(Field, String), head: &Head) -> bool {
    head.first(*field).is_some_and(|known| known != value)
        || (*field == Field::Gp && !names_a_gp(value))
}

fn opens_section(line: &Line, rules: Rules, labels: &Labels, source: &SourceDocument) -> bool {
    match line.kind {
        LineKind::Heading(1) => source.document.title.is_some(),
        LineKind::Heading(_) => true,
        LineKind::Plain => opens_plainly(&line.text, rules, labels),
        LineKind::Row => false,
    }
}

/// `Date of admission:` is a label in the head of a Word letter, and a heading in a report.
fn opens_plainly(line: &str, rules: Rules, labels: &Labels) -> bool {
    let Some((heading, value)) = labels.heading(line) else {
        return false;
    };
    let labelled = !labels.pairs(line).is_empty();
    let in_head = rules.head_in_body && labelled && !value.is_empty();
    !in_head && (!labelled || labels.is_known_heading(heading))
}

/// The pairs of a line that belong to the head, and whether they are all of the line.
fn head_pairs(line: &Line, rules: Rules, labels: &Labels) -> (Vec<(Field, String)>, bool) {
    let (pairs, whole) = match line.kind {
        LineKind::Row => row_pairs(&line.text, labels),
        _ => labels.pairs_and_rest(&line.text),
    };
    let wanted =
        |field| rules.head_in_body || matches!(field, Field::EventDate | Field::DocumentNumber);
    let all = pairs.len();
    let kept: Vec<_> = pairs
        .into_iter()
        .filter(|(field, _)| wanted(*field))
        .collect();
    let whole = whole && kept.len() == all;
    (kept, whole)
}

/// Pairs of a table's row: a cell that is a label and the next cell, or cells with colons.
fn row_pairs(row: &str, labels: &Labels) -> (Vec<(Field, String)>, bool) {
    let mut pairs = Vec::new();
    let mut whole = true;
    let mut cells = row.split('\t').map(str::trim);
    while let Some(cell) = cells.next() {
        if let Some(field) = labels.field(cell.trim_end_matches(':')) {
            let value = cells.next().unwrap_or_default();
            pairs.push((field, value.replace(CELL_BREAK, "\n")));
        } else {
            let (inner, inner_whole) = labels.pairs_and_rest(cell);
            whole &= inner_whole;
            pairs.extend(inner);
        }
    }
    (pairs, whole)
}
