//! What stands inside a paragraph: runs, fields, drawings (section 7.1).

use super::{NoteReference, View, Walk, chosen, control_content, descendants};
use crate::Warning;
use crate::charset::clean;
use crate::docx::symbols::symbol;
use crate::docx::xml::{Element, Ns};
use crate::reading::Notes;

/// A field that has begun and not ended.
#[derive(Debug, Default)]
pub(in crate::docx) struct Field {
    instruction: String,
    in_result: bool,
}

/// Where the text of a paragraph goes, and the text boxes anchored in it.
pub(super) struct Target<'t, 'e> {
    pub(super) text: &'t mut String,
    pub(super) boxes: &'t mut Vec<&'e Element>,
    pub(super) hidden: bool,
}

/// Fields that fetch or run something (section 9).
const ACTIVE_FIELDS: &[&str] = &["DDEAUTO", "DDE", "INCLUDETEXT", "INCLUDEPICTURE"];

impl Walk<'_> {
    pub(super) fn inline<'e>(&mut self, parent: &'e Element, target: &mut Target<'_, 'e>) {
        for child in parent.elements() {
            self.inline_element(child, target);
        }
    }

    fn inline_element<'e>(&mut self, element: &'e Element, target: &mut Target<'_, 'e>) {
        match (element.ns, &*element.name) {
            (Ns::Word, "r") => self.run(element, target),
            (Ns::Word, "pPr" | "rPr" | "sdtPr") => {}
            (Ns::Word, "sdt") => {
                if let Some(content) = control_content(element) {
                    self.inline(content, target);
                }
            }
            (Ns::Word, "ins" | "moveTo") => {
                self.found.tracked = true;
                if self.view == View::Accepted {
                    self.inline(element, target);
                }
            }
            (Ns::Word, "del" | "moveFrom") => {
                self.found.tracked = true;
                if self.view == View::Rejected {
                    self.inline(element, target);
                }
            }
            (Ns::Word, "fldSimple") => {
                let instruction = element.attribute(Ns::Word, "instr").unwrap_or_default();
                self.check_instruction(instruction);
                self.inline(element, target);
            }
            (Ns::Math, "t") => self.push(&element.text(), target),
            (Ns::Compatibility, "AlternateContent") => {
                if let Some(branch) = chosen(element) {
                    self.inline(branch, target);
                }
            }
            _ => self.inline(element, target),
        }
    }

    fn run<'e>(&mut self, run: &'e Element, target: &mut Target<'_, 'e>) {
        let properties = run.child("rPr");
        let outer = target.hidden;
        let style = properties.and_then(|one| one.value("rStyle"));
        let direct = properties.filter(|one| one.child("vanish").is_some());
        target.hidden = match (direct, style) {
            (Some(direct), _) => direct.is_on("vanish"),
            (None, Some(style)) => outer || self.styles.is_hidden(style),
            (None, None) => outer,
        };
        for child in run.elements() {
            self.run_child(child, target);
        }
        target.hidden = outer;
    }

    fn run_child<'e>(&mut self, element: &'e Element, target: &mut Target<'_, 'e>) {
        if element.is(Ns::Compatibility, "AlternateContent") {
            let branch = chosen(element);
            for child in branch.into_iter().flat_map(Element::elements) {
                self.run_child(child, target);
            }
            return;
        }
        if element.ns != Ns::Word {
            return self.drawing(element, target);
        }
        match &*element.name {
            // A line end inside the text of a run is a blank, as Word shows it.
            "t" | "delText" => self.push(&element.text().replace(['\n', '\r'], " "), target),
            "tab" | "ptab" => self.push("\t", target),
            "br" | "cr" => self.push("\n", target),
            "noBreakHyphen" => self.push("\u{2011}", target),
            "sym" => self.symbol(element, target),
            "fldChar" => self.field(element, target),
            "instrText" | "delInstrText" => {
                if let Some(field) = self.fields.last_mut() {
                    field.instruction.push_str(&element.text());
                }
            }
            "footnoteReference" | "endnoteReference" => self.note(element, target),
            "commentReference" => {
                self.found.warnings.insert(Warning::CommentsDropped);
            }
            "object" => {
                self.found.active = true;
                self.drawing(element, target);
            }
            "drawing" | "pict" => self.drawing(element, target),
            _ => {}
        }
    }

    fn push(&mut self, text: &str, target: &mut Target<'_, '_>) {
        if self.fields.iter().any(|field| !field.in_result) {
            return;
        }
        if target.hidden {
            let met = (!text.trim().is_empty()).then_some(Warning::HiddenTextDropped);
            self.found.warnings.extend(met);
            return;
        }
        target
            .text
            .push_str(&clean(text, false, &mut Notes::default()));
    }

    fn symbol(&mut self, element: &Element, target: &mut Target<'_, '_>) {
        let attribute = |name| element.attribute(Ns::Word, name).unwrap_or_default();
        let found = symbol(attribute("font"), attribute("char"));
        let unknown = found.is_none().then_some(Warning::SymbolUnknown);
        self.found.warnings.extend(unknown);
        let text = found.unwrap_or(char::REPLACEMENT_CHARACTER).to_string();
        self.push(&text, target);
    }

    fn field(&mut self, element: &Element, target: &mut Target<'_, '_>) {
        match element.attribute(Ns::Word, "fldCharType") {
            Some("begin") => {
                if let Some(text) = element.child("ffData").and_then(form_field) {
                    self.push(&text, target);
                }
                self.fields.push(Field::default());
            }
            Some("separate") => {
                if let Some(field) = self.fields.last_mut() {
                    field.in_result = true;
                }
            }
            Some("end") => {
                if let Some(field) = self.fields.pop() {
                    self.check_instruction(&field.instruction);
                }
            }
            _ => {}
        }
    }

    fn check_instruction(&mut self, instruction: &str) {
        let name = instruction.split_whitespace().next().unwrap_or_default();
        self.found.active |= ACTIVE_FIELDS
            .iter()
            .any(|one| one.eq_ignore_ascii_case(name));
    }

    fn note(&mut self, element: &Element, target: &mut Target<'_, '_>) {
        let id = element.attribute(Ns::Word, "id").unwrap_or_default();
        self.found.notes.push(NoteReference {
            endnote: &*element.name == "endnoteReference",
            id: id.to_owned(),
        });
        let mark = format!("[{}]", self.found.notes.len());
        self.push(&mark, target);
    }

    /// Text boxes, images, watermarks and objects of a drawing.
    fn drawing<'e>(&mut self, element: &'e Element, target: &mut Target<'_, 'e>) {
        let found = &mut self.found;
        let boxes = &mut *target.boxes;
        descendants(element, &mut |one| match (one.ns, &*one.name) {
            (Ns::Word, "txbxContent") => boxes.push(one),
            (Ns::Drawing, "blip") | (Ns::Vml, "imagedata") => found.images += 1,
            (Ns::Drawing, "graphicData") => {
                let uri = one.attribute(Ns::None, "uri").unwrap_or_default();
                // The words of charts and diagrams stand in parts of their own.
                found.images += usize::from(uri.contains("chart") || uri.contains("diagram"));
            }
            (Ns::Vml, "textpath") => {
                let text = one.attribute(Ns::None, "string").unwrap_or_default();
                found.watermarks.push(text.to_owned());
            }
            (Ns::Office, "OLEObject") => found.active = true,
            _ => {}
        });
    }
}

/// What a form field of the old kind shows that is not in its result: a box, or a choice.
fn form_field(data: &Element) -> Option<String> {
    if let Some(check) = data.child("checkBox") {
        let on = if check.child("checked").is_some() {
            check.is_on("checked")
        } else {
            check.is_on("default")
        };
        return Some(if on { "☒" } else { "☐" }.to_owned());
    }
    let list = data.child("ddList")?;
    let chosen = list.value("result").or_else(|| list.value("default"));
    let index: usize = chosen.unwrap_or("0").parse().ok()?;
    let entries = list.elements().filter(|one| one.is(Ns::Word, "listEntry"));
    let entry = entries.into_iter().nth(index)?;
    entry.attribute(Ns::Word, "val").map(str::to_owned)
}
