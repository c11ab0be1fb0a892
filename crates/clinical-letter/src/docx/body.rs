//! The text of a part: paragraphs, tables, text boxes, in one of two views of tracked changes
//! (section 7.1).

mod inline;
mod table;

use std::collections::BTreeSet;

use super::numbering::Numbering;
use super::styles::{Styles, outline_level};
use super::xml::{Element, Node, Ns};
use crate::Warning;
use crate::compose::{Line, LineKind};

/// How tracked changes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// As if all were accepted.
    Accepted,
    /// As if all were refused.
    Rejected,
}

/// What a walk through a part found besides its text.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) tracked: bool,
    pub(super) active: bool,
    pub(super) open_field: bool,
    pub(super) warnings: BTreeSet<Warning>,
    pub(super) images: usize,
    pub(super) watermarks: Vec<String>,
    pub(super) notes: Vec<NoteReference>,
}

/// A reference to a footnote or an endnote.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoteReference {
    pub(super) endnote: bool,
    pub(super) id: String,
}

/// A walk through a part.
pub(super) struct Walk<'s> {
    styles: &'s Styles,
    numbering: Numbering,
    view: View,
    fields: Vec<inline::Field>,
    carried: Option<Paragraph>,
    lines: Vec<Line>,
    found: Found,
}

/// A paragraph in the making.
#[derive(Default)]
struct Paragraph {
    text: String,
    heading: Option<u8>,
}

impl<'s> Walk<'s> {
    pub(super) fn new(styles: &'s Styles, numbering: Numbering, view: View) -> Self {
        Self {
            styles,
            numbering,
            view,
            fields: Vec::new(),
            carried: None,
            lines: Vec::new(),
            found: Found::default(),
        }
    }

    /// Walks through the blocks of an element, and gives the lines and what else was found.
    pub(super) fn read(mut self, root: &Element) -> (Vec<Line>, Found) {
        self.blocks(root);
        if let Some(paragraph) = self.carried.take() {
            self.emit(&paragraph);
        }
        self.found.open_field = !self.fields.is_empty();
        (self.lines, self.found)
    }

    fn blocks(&mut self, parent: &Element) {
        for child in parent.elements() {
            self.block(child);
        }
    }

    fn block(&mut self, element: &Element) {
        match (element.ns, &*element.name) {
            (Ns::Word, "p") => self.paragraph(element),
            (Ns::Word, "tbl") => self.table(element),
            (Ns::Word, "sdt") => {
                if let Some(content) = control_content(element) {
                    self.blocks(content);
                }
            }
            (Ns::Word, "altChunk") => self.found.active = true,
            (Ns::Word, "sectPr" | "tblPr" | "tblGrid") => {}
            (Ns::Word, "ins" | "moveTo" | "del" | "moveFrom") => self.change(element),
            (Ns::Compatibility, "AlternateContent") => {
                if let Some(chosen) = chosen(element) {
                    self.blocks(chosen);
                }
            }
            _ => self.blocks(element),
        }
    }

    /// Descends into an insertion or a deletion, if the view shows it.
    fn change(&mut self, element: &Element) {
        self.found.tracked = true;
        let inserted = matches!(&*element.name, "ins" | "moveTo");
        if inserted == (self.view == View::Accepted) {
            self.blocks(element);
        }
    }

    fn paragraph(&mut self, element: &Element) {
        let properties = element.child("pPr");
        let style = properties
            .and_then(|one| one.value("pStyle"))
            .unwrap_or_default();
        let heading = properties
            .and_then(outline_level)
            .or_else(|| self.styles.heading(style));
        let mark = self.mark(properties, style);
        let mut text = mark.map_or_else(String::new, |mark| format!("{mark} "));
        let mut boxes = Vec::new();
        let hidden = self.styles.is_hidden(style);
        self.inline(
            element,
            &mut inline::Target {
                text: &mut text,
                boxes: &mut boxes,
                hidden,
            },
        );
        let mut paragraph = self.carried.take().unwrap_or_default();
        paragraph.text.push_str(&text);
        paragraph.heading = paragraph.heading.or(heading);
        if self.joins_next(properties) {
            self.carried = Some(paragraph);
        } else {
            self.emit(&paragraph);
        }
        for inner in boxes {
            self.blocks(inner);
        }
    }

    /// The number or bullet that Word shows before the paragraph.
    fn mark(&mut self, properties: Option<&Element>, style: &str) -> Option<String> {
        let direct = properties.and_then(|one| one.child("numPr"));
        let number = direct
            .and_then(|one| one.value("numId"))
            .or_else(|| self.styles.numbering(style))?;
        let level = direct.and_then(|one| one.value("ilvl")?.parse().ok());
        self.numbering.next(number, level, style)
    }

    /// A paragraph mark that was deleted (or, if changes are refused, inserted) joins two.
    fn joins_next(&mut self, properties: Option<&Element>) -> bool {
        let mark = properties.and_then(|one| one.child("rPr"));
        let has = |names: [&str; 2]| {
            mark.is_some_and(|mark| names.iter().any(|name| mark.child(name).is_some()))
        };
        let (inserted, deleted) = (has(["ins", "moveTo"]), has(["del", "moveFrom"]));
        self.found.tracked |= inserted || deleted;
        match self.view {
            View::Accepted => deleted,
            View::Rejected => inserted,
        }
    }

    fn emit(&mut self, paragraph: &Paragraph) {
        match paragraph.heading {
            Some(level) if !paragraph.text.trim().is_empty() => self.lines.push(Line {
                text: paragraph.text.replace('\n', " "),
                kind: LineKind::Heading(level),
            }),
            _ => self
                .lines
                .extend(paragraph.text.split('\n').map(Line::plain)),
        }
    }
}

/// The content of a content control, unless it shows its placeholder.
fn control_content(element: &Element) -> Option<&Element> {
    let properties = element.child("sdtPr");
    let placeholder = properties.is_some_and(|one| one.is_on("showingPlcHdr"));
    element.child("sdtContent").filter(|_| !placeholder)
}

/// The branch to read: the first choice that is understood, else the fallback; never both.
fn chosen(alternate: &Element) -> Option<&Element> {
    let of = |name| {
        alternate
            .elements()
            .filter(move |one| one.is(Ns::Compatibility, name))
    };
    of("Choice")
        .find(|choice| choice.understood)
        .or_else(|| of("Fallback").next())
}

/// All elements below one, branches chosen, without descending into text boxes.
fn descendants<'e>(element: &'e Element, visit: &mut dyn FnMut(&'e Element)) {
    for node in &element.children {
        let Node::Element(child) = node else { continue };
        if child.is(Ns::Compatibility, "AlternateContent") {
            if let Some(branch) = chosen(child) {
                descendants(branch, visit);
            }
            continue;
        }
        visit(child);
        if !child.is(Ns::Word, "txbxContent") {
            descendants(child, visit);
        }
    }
}
