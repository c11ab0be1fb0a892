//! Tables: cells joined by tabs, rows by lines (section 7.1).

use super::{View, Walk, chosen};
use crate::compose::{CELL_BREAK, Line, LineKind};
use crate::docx::xml::{Element, Ns};

impl Walk<'_> {
    pub(super) fn table(&mut self, table: &Element) {
        for row in rows(table) {
            if self.shows_row(row) {
                self.row(row);
            }
        }
    }

    fn shows_row(&mut self, row: &Element) -> bool {
        let properties = row.child("trPr");
        let has = |name| properties.is_some_and(|one| one.child(name).is_some());
        let (inserted, deleted) = (has("ins"), has("del"));
        self.found.tracked |= inserted || deleted;
        match self.view {
            View::Accepted => !deleted,
            View::Rejected => !inserted,
        }
    }

    /// A row with one cell is layout: its paragraphs stand for themselves.
    fn row(&mut self, row: &Element) {
        let mut cells = Vec::new();
        for cell in cells_of(row) {
            let before = std::mem::take(&mut self.lines);
            let carried = self.carried.take();
            self.blocks(cell);
            if let Some(paragraph) = self.carried.take() {
                self.emit(&paragraph);
            }
            self.carried = carried;
            cells.push(std::mem::replace(&mut self.lines, before));
        }
        if let [only] = cells.as_mut_slice() {
            self.lines.append(only);
            return;
        }
        let texts: Vec<String> = cells.iter().map(|lines| cell_text(lines)).collect();
        self.lines.push(Line {
            text: texts.join("\t"),
            kind: LineKind::Row,
        });
    }
}

/// The paragraphs of a cell in one text; tabs in it would look like cells.
fn cell_text(lines: &[Line]) -> String {
    let texts = lines.iter().map(|line| line.text.trim().replace('\t', " "));
    let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    texts.join(&CELL_BREAK.to_string())
}

fn rows(table: &Element) -> Vec<&Element> {
    collected(table, "tr")
}

fn cells_of(row: &Element) -> Vec<&Element> {
    collected(row, "tc")
}

/// Rows or cells, also those within content controls or marked as changed as a whole.
fn collected<'e>(parent: &'e Element, name: &str) -> Vec<&'e Element> {
    let mut found = Vec::new();
    for child in parent.elements() {
        let wraps = child.ns == Ns::Word
            && matches!(
                &*child.name,
                "sdt" | "sdtContent" | "customXml" | "smartTag"
            );
        if child.is(Ns::Word, name) {
            found.push(child);
        } else if wraps {
            found.extend(collected(child, name));
        } else if child.is(Ns::Compatibility, "AlternateContent") {
            found.extend(
                chosen(child)
                    .into_iter()
                    .flat_map(|one| collected(one, name)),
            );
        }
    }
    found
}
