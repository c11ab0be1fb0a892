use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Timelike};
use chrono_tz::Europe::London;
use clinical_letter::Section;
use nhs_types::{PersonName, Sex};

use super::{Html, TABLE};
use crate::profile::HtmlSubset;

/// Writes one section: heading with anchor, then paragraphs, tables and columns.
pub(super) fn section(section: &Section, number: usize, subset: HtmlSubset, html: &mut Html) {
    let anchor = format!("<a name=\"s{number}\"></a>");
    match &section.heading {
        Some(heading) => {
            html.raw(&format!("<h2>{anchor}"));
            html.text(heading.expose());
            html.raw("</h2>\n");
        }
        None => html.raw(&format!("{anchor}\n")),
    }
    let text = kettering_xml::sendable_text(section.text.expose());
    if section.preformatted {
        return columns(&text, subset, html);
    }
    let mut block: Vec<&str> = Vec::new();
    let mut kind = Kind::Blank;
    for line in text.lines() {
        let next = Kind::of(line);
        if next != kind {
            flush(kind, &block, subset, html);
            block.clear();
            kind = next;
        }
        block.push(line);
    }
    flush(kind, &block, subset, html);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Row,
    Text,
}

impl Kind {
    fn of(line: &str) -> Self {
        if line.trim().is_empty() {
            Self::Blank
        } else if line.contains('\t') {
            Self::Row
        } else {
            Self::Text
        }
    }
}

fn flush(kind: Kind, lines: &[&str], subset: HtmlSubset, html: &mut Html) {
    match (kind, subset) {
        (Kind::Blank, _) => {}
        (Kind::Row, _) => rows(lines, html),
        (Kind::Text, HtmlSubset::Standard) => html.element("p", &lines.join("\n")),
        (Kind::Text, HtmlSubset::SystmOne) => {
            for line in lines {
                html.element("p", line);
            }
        }
    }
}

fn rows(lines: &[&str], html: &mut Html) {
    let widths = lines.iter().map(|line| line.split('\t').count());
    let width = widths.max().unwrap_or_default().min(COLUMNS_FILLED_MAX);
    html.raw(TABLE);
    for line in lines {
        html.raw("<tr>");
        let given = line.split('\t').count();
        let cells = line.split('\t').chain(std::iter::repeat(""));
        for (index, cell) in cells.take(given.max(width)).enumerate() {
            // Words stay apart in a system that strips the tags.
            html.raw(if index == 0 { "<td>" } else { " <td>" });
            if cell.trim().is_empty() {
                html.raw("&nbsp;");
            } else {
                html.text(cell.trim());
            }
            html.raw("</td>");
        }
        html.raw("</tr>\n");
    }
    html.raw("</table>\n");
}

/// Short rows are filled up to the widest, but never beyond this.
const COLUMNS_FILLED_MAX: usize = 64;

/// Text whose columns are made of spaces.
fn columns(text: &str, subset: HtmlSubset, html: &mut Html) {
    match subset {
        HtmlSubset::Standard => {
            html.raw("<pre>");
            for (index, line) in text.trim_end().lines().enumerate() {
                if index > 0 {
                    html.raw("\n");
                }
                html.text(line);
            }
            html.raw("</pre>\n");
        }
        HtmlSubset::SystmOne => {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                html.element("p", &with_fixed_spaces(line));
            }
        }
    }
}

/// Every space that would collapse becomes a no-break space; single ones may still wrap.
fn with_fixed_spaces(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut collapses = true;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let space = c == ' ';
        let fixed = space && (collapses || chars.peek() == Some(&' '));
        out.push(if fixed { '\u{A0}' } else { c });
        collapses = space;
    }
    out
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

pub(super) fn day(date: NaiveDate) -> String {
    let month = usize::try_from(date.month0()).ok();
    let month = month.and_then(|m| MONTHS.get(m)).unwrap_or(&"");
    format!("{:02}-{month}-{}", date.day(), date.year())
}

pub(super) fn minute(at: DateTime<FixedOffset>) -> String {
    let local = at.with_timezone(&London);
    format!(
        "{} {:02}:{:02}",
        day(local.date_naive()),
        local.hour(),
        local.minute()
    )
}

pub(super) fn name(name: &PersonName) -> String {
    let parts = name.expose();
    let parts = [parts.title, parts.given, Some(parts.family)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

pub(super) const fn sex(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "Male",
        Sex::Female => "Female",
        Sex::NotKnown => "Not known",
        Sex::NotSpecified => "Not specified",
    }
}
