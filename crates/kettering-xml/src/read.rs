use quick_xml::Reader;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::decode::check_reference;
use crate::rule::{Findings, S05, W01, W04, W05, W06};
use crate::{Element, Limits};

/// The text of a message to its tree. `None` when it is not well-formed or beyond the caps.
///
/// quick-xml ends on a truncated file without an error, nests without limit and resolves
/// references to forbidden characters (facts, section 19): all three are checked here.
pub(crate) fn read(text: &str, findings: &mut Findings<'_>) -> Option<Element> {
    let mut reader = Reader::from_str(text);
    let mut tree = Tree::default();
    loop {
        let event = match reader.read_event() {
            Ok(Event::Eof) => return tree.finish(findings),
            Ok(event) => event,
            Err(_) => {
                let message = format!("not well-formed at byte {}", reader.error_position());
                findings.add(W01, &tree.place(), message);
                return None;
            }
        };
        tree.take(&event, findings)?;
    }
}

#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn take(&mut self, event: &Event<'_>, findings: &mut Findings<'_>) -> Option<()> {
        match event {
            Event::Start(start) => self.open(start, findings),
            Event::Empty(start) => {
                self.open(start, findings)?;
                self.close(findings)
            }
            Event::End(_) => self.close(findings),
            Event::Text(text) => self.text(&text.xml10_content(), findings),
            Event::CData(text) => self.text(&text.xml10_content(), findings),
            Event::GeneralRef(name) => self.reference(name, findings),
            Event::DocType(text) => self.doctype(text, findings),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Some(()),
        }
    }

    fn place(&self) -> String {
        let names = self
            .open
            .iter()
            .skip(1)
            .map(|element| shown(element.name()));
        names.collect::<Vec<_>>().join("/")
    }

    fn open(&mut self, start: &BytesStart<'_>, findings: &mut Findings<'_>) -> Option<()> {
        self.elements += 1;
        if self.open.len() >= Limits::DEPTH_MAX {
            let message = format!("elements nest deeper than {}", Limits::DEPTH_MAX);
            findings.add(W06, "", message);
            return None;
        }
        if self.elements > Limits::ELEMENTS_MAX {
            let message = format!("more than {} elements", Limits::ELEMENTS_MAX);
            findings.add(W06, "", message);
            return None;
        }
        if self.open.is_empty() && self.root.is_some() {
            findings.add(W01, "", "a second root element");
            return None;
        }
        let element = Element::new(start.name().as_ref());
        self.open.push(element);
        self.attributes(start, findings)
    }

    fn attributes(&mut self, start: &BytesStart<'_>, findings: &mut Findings<'_>) -> Option<()> {
        let place = self.place();
        let mut taken = self.open.pop()?;
        for (index, attribute) in start.attributes().enumerate() {
            if index >= Limits::ATTRIBUTES_MAX {
                let message = format!("more than {} attributes", Limits::ATTRIBUTES_MAX);
                findings.add(W06, &place, message);
                return None;
            }
            let attribute = match attribute {
                Ok(attribute) => attribute,
                Err(AttrError::Duplicated(..)) => {
                    findings.add(W01, &place, "an attribute stands twice");
                    return None;
                }
                Err(_) => {
                    findings.add(W01, &place, "an attribute is not well-formed");
                    return None;
                }
            };
            let value = attribute_value(&attribute.value, &place, findings)?;
            taken = taken.with(attribute.key.as_ref(), &value);
        }
        self.open.push(taken);
        Some(())
    }

    fn close(&mut self, findings: &mut Findings<'_>) -> Option<()> {
        let place = self.place();
        let Some(element) = self.open.pop() else {
            findings.add(W01, "", "an end tag without its start");
            return None;
        };
        if !element.children().is_empty() && !element.text().is_empty() {
            findings.add(S05, &place, "text between elements");
        }
        match self.open.last_mut() {
            Some(parent) => parent.push_child(element),
            None => self.root = Some(element),
        }
        Some(())
    }

    fn text(&mut self, text: &str, findings: &mut Findings<'_>) -> Option<()> {
        match self.open.last_mut() {
            Some(element) => element.push_text(text),
            None if text.trim().is_empty() => {}
            None => {
                findings.add(W01, "", "text outside of the root element");
                return None;
            }
        }
        Some(())
    }

    fn reference(&mut self, name: &BytesRef<'_>, findings: &mut Findings<'_>) -> Option<()> {
        let place = self.place();
        let text = resolve(&name.xml10_content(), &place, findings)?;
        self.text(&text, findings)
    }

    fn doctype(&self, text: &str, findings: &mut Findings<'_>) -> Option<()> {
        if text.contains('[') {
            findings.add(W05, "", "a DOCTYPE with an internal subset");
            return None;
        }
        if self.root.is_some() || !self.open.is_empty() {
            findings.add(W01, "", "a DOCTYPE after the root element began");
            return None;
        }
        Some(())
    }

    fn finish(self, findings: &mut Findings<'_>) -> Option<Element> {
        if !self.open.is_empty() {
            let message = "the message ends before its elements do: it was cut";
            findings.add(W01, &self.place(), message);
            return None;
        }
        if self.root.is_none() {
            findings.add(W01, "", "no root element");
        }
        self.root
    }
}

/// An element name, cut to what a finding may show of a foreign one.
pub(crate) fn shown(name: &str) -> &str {
    let short = name.len() <= NAME_SHOWN_MAX && name.is_ascii();
    if short {
        name
    } else {
        "(a long or foreign name)"
    }
}

const NAME_SHOWN_MAX: usize = 40;

/// What stands between `&` and `;`, to text. References to forbidden characters vanish after
/// they were reported.
fn resolve(name: &str, place: &str, findings: &mut Findings<'_>) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        let Some(c) = code.ok().and_then(char::from_u32) else {
            findings.add(W01, place, "a numeric reference to no character");
            return None;
        };
        let kept = check_reference(c, place, findings);
        return Some(if kept { c.to_string() } else { String::new() });
    }
    if let Some(text) = quick_xml::escape::resolve_xml_entity(name) {
        return Some(text.to_owned());
    }
    let known = html_entity(name);
    let severity = match known {
        Some(_) if findings.purpose.is_lenient() => nhs_types::Severity::Warning,
        _ => nhs_types::Severity::Error,
    };
    let message = format!("an entity that XML does not define: &{};", shown(name));
    findings.add_as(W04, severity, place, message);
    known.map(str::to_owned)
}

/// The text that an HTML entity such as `nbsp` stands for; the name without `&` and `;`.
///
/// ```
/// assert_eq!(kettering_xml::html_entity("micro"), Some("µ"));
/// assert_eq!(kettering_xml::html_entity("dose"), None);
/// ```
pub fn html_entity(name: &str) -> Option<&'static str> {
    quick_xml::escape::resolve_html5_entity(name)
}

fn attribute_value(raw: &str, place: &str, findings: &mut Findings<'_>) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        let Some((name, tail)) = after.split_once(';') else {
            findings.add(W01, place, "an ampersand that begins no reference");
            return None;
        };
        out.push_str(before);
        out.push_str(&resolve(name, place, findings)?);
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests;
