//! XML parts as trees of elements, within limits. Document types are refused (section 9).

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, QName, ResolveResult};
use quick_xml::reader::NsReader;

use super::package::{malformed, place};
use crate::charset;
use crate::reading::{Notes, Refusal};
use crate::{Limits, Reason};

/// Most elements of a part: what a tree of them takes is a multiple of the bytes it is read from.
pub(super) const ELEMENTS_MAX: usize = 500_000;

/// The namespaces that matter here, transitional and strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ns {
    None,
    Word,
    Compatibility,
    Drawing,
    Vml,
    Office,
    Relationships,
    Math,
    Word2010,
    Other,
}

impl Ns {
    fn of(uri: &str) -> Self {
        match uri {
            "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
            | "http://purl.oclc.org/ooxml/wordprocessingml/main" => Self::Word,
            "http://schemas.openxmlformats.org/markup-compatibility/2006" => Self::Compatibility,
            "http://schemas.openxmlformats.org/drawingml/2006/main"
            | "http://purl.oclc.org/ooxml/drawingml/main" => Self::Drawing,
            "urn:schemas-microsoft-com:vml" => Self::Vml,
            "urn:schemas-microsoft-com:office:office" => Self::Office,
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
            | "http://purl.oclc.org/ooxml/officeDocument/relationships" => Self::Relationships,
            "http://schemas.openxmlformats.org/officeDocument/2006/math"
            | "http://purl.oclc.org/ooxml/officeDocument/math" => Self::Math,
            _ if is_understood(uri) => Self::Word2010,
            _ => Self::Other,
        }
    }
}

/// Extensions whose content is ordinary Word content, so that `mc:Choice` may ask for them.
fn is_understood(uri: &str) -> bool {
    uri.starts_with("http://schemas.microsoft.com/office/word/20")
        || uri.starts_with("http://schemas.microsoft.com/office/drawing/2010/")
}

/// An element with its attributes and children.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) ns: Ns,
    pub(super) name: Box<str>,
    attributes: Vec<(Ns, Box<str>, Box<str>)>,
    pub(super) children: Vec<Node>,
    /// Of `mc:Choice`: whether all it asks for is understood.
    pub(super) understood: bool,
}

/// A child of an element.
#[derive(Debug)]
pub(super) enum Node {
    Element(Element),
    Text(Box<str>),
}

impl Element {
    pub(super) fn is(&self, ns: Ns, name: &str) -> bool {
        self.ns == ns && &*self.name == name
    }

    pub(super) fn elements(&self) -> impl DoubleEndedIterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|one| one.is(Ns::Word, name))
    }

    pub(super) fn attribute(&self, ns: Ns, name: &str) -> Option<&str> {
        let found = self
            .attributes
            .iter()
            .find(|(of, one, _)| *of == ns && &**one == name);
        found.map(|(_, _, value)| &**value)
    }

    /// The `w:val` of a child.
    pub(super) fn value(&self, child: &str) -> Option<&str> {
        self.child(child)?.attribute(Ns::Word, "val")
    }

    /// Whether a property is there and not switched off.
    pub(super) fn is_on(&self, child: &str) -> bool {
        self.child(child).is_some_and(|one| {
            !matches!(one.attribute(Ns::Word, "val"), Some("0" | "false" | "off"))
        })
    }

    pub(super) fn text(&self) -> String {
        let texts = self.children.iter().filter_map(|node| match node {
            Node::Text(text) => Some(&**text),
            Node::Element(_) => None,
        });
        texts.collect()
    }
}

/// Parses a part.
pub(super) fn parse(bytes: &[u8], part: &str, limits: &Limits) -> Result<Element, Refusal> {
    let text = decode(bytes, part)?;
    Tree {
        part,
        limits,
        open: Vec::new(),
        root: None,
        elements: 0,
        text_bytes: 0,
    }
    .read(&text)
}

fn decode<'b>(bytes: &'b [u8], part: &str) -> Result<Cow<'b, str>, Refusal> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)));
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Ok(charset::decode(bytes, &mut Notes::default()).0.into());
    }
    Err(malformed(part, "the part is neither UTF-8 nor UTF-16"))
}

struct Tree<'p> {
    part: &'p str,
    limits: &'p Limits,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    text_bytes: usize,
}

impl Tree<'_> {
    fn read(mut self, text: &str) -> Result<Element, Refusal> {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        loop {
            let event = reader
                .read_event()
                .map_err(|_| self.malformed("not well-formed XML"))?;
            match event {
                Event::Start(start) => self.start(&start, &reader)?,
                Event::End(_) => self.end()?,
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(text) => self.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let text = self.reference(&reference)?;
                    self.text(&text)?;
                }
                Event::DocType(_) => {
                    let why = "the part declares a document type";
                    return Err(Refusal::new(Reason::XmlDtd, place(self.part), why));
                }
                Event::Eof => break,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        // Truncated input ends without an error (kettering-xml section 19).
        let whole = self.open.is_empty();
        let root = self.root.take().filter(|_| whole);
        root.ok_or_else(|| self.malformed("the part ends before its root element"))
    }

    fn malformed(&self, why: &str) -> Refusal {
        malformed(self.part, why)
    }

    fn past(&self, reason: Reason, what: &str, limit: usize) -> Refusal {
        let why = format!("more than {limit} {what}");
        Refusal::new(reason, place(self.part), why)
    }

    fn start(&mut self, start: &BytesStart<'_>, reader: &NsReader<&[u8]>) -> Result<(), Refusal> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(self.past(Reason::TooLarge, "elements", ELEMENTS_MAX));
        }
        if self.open.len() >= self.limits.xml_depth {
            let limit = self.limits.xml_depth;
            return Err(self.past(Reason::TooDeep, "levels of elements", limit));
        }
        if self.root.is_some() {
            return Err(self.malformed("more than one root element"));
        }
        let (namespace, name) = reader.resolver().resolve_element(start.name());
        let mut element = Element {
            ns: known(&namespace),
            name: name.as_ref().into(),
            attributes: Vec::new(),
            children: Vec::new(),
            understood: false,
        };
        self.attributes(start, reader, &mut element)?;
        self.text_bytes = 0;
        self.open.push(element);
        Ok(())
    }

    fn attributes(
        &self,
        start: &BytesStart<'_>,
        reader: &NsReader<&[u8]>,
        element: &mut Element,
    ) -> Result<(), Refusal> {
        let limit = self.limits.xml_attributes;
        for (index, attribute) in start.attributes().with_checks(false).enumerate() {
            if index >= limit {
                return Err(self.past(Reason::TooLarge, "attributes of an element", limit));
            }
            let attribute = attribute.map_err(|_| self.malformed("a broken attribute"))?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| self.malformed("an attribute with an unknown entity"))?;
            if element.is(Ns::Compatibility, "Choice") && attribute.key.0 == "Requires" {
                element.understood = understands(&value, reader);
            }
            let name = name.as_ref().into();
            element
                .attributes
                .push((known(&namespace), name, value.into()));
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        let element = self.open.pop();
        let element = element.ok_or_else(|| self.malformed("an end without a start"))?;
        self.text_bytes = 0;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        self.text_bytes += text.len();
        if self.text_bytes > self.limits.xml_text_bytes {
            let limit = self.limits.xml_text_bytes;
            return Err(self.past(Reason::TooLarge, "bytes of text in an element", limit));
        }
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(Node::Text(text.into()));
        }
        Ok(())
    }

    fn reference(&self, reference: &BytesRef<'_>) -> Result<String, Refusal> {
        let character = reference
            .resolve_char_ref()
            .map_err(|_| self.malformed("a broken character reference"))?;
        if let Some(character) = character {
            return Ok(character.to_string());
        }
        resolve_predefined_entity(reference)
            .map(str::to_owned)
            .ok_or_else(|| self.malformed("an unknown entity"))
    }
}

fn known(namespace: &ResolveResult<'_>) -> Ns {
    match namespace {
        ResolveResult::Bound(Namespace(uri)) => Ns::of(uri),
        ResolveResult::Unbound => Ns::None,
        ResolveResult::Unknown(_) => Ns::Other,
    }
}

/// `Requires` names prefixes, not namespaces.
fn understands(requires: &str, reader: &NsReader<&[u8]>) -> bool {
    requires.split_whitespace().all(|prefix| {
        let name = format!("{prefix}:x");
        let (namespace, _) = reader.resolver().resolve_attribute(QName(&name));
        !matches!(known(&namespace), Ns::Other | Ns::None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(xml: &str, limits: &Limits) -> Option<Reason> {
        parse(xml.as_bytes(), "part", limits)
            .err()
            .map(|why| why.reason)
    }

    fn broken(xml: &str) -> Option<Reason> {
        reason(xml, &Limits::default())
    }

    #[test]
    fn section_9_a_document_type_is_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x 'xx'>]><a>&x;</a>";
        assert_eq!(broken(bomb), Some(Reason::XmlDtd));
    }

    #[test]
    fn kettering_section_19_truncated_and_double_roots_are_malformed() {
        for xml in [
            "<a><b></b>",
            "<a></b>",
            "<a/><b/>",
            "",
            "text",
            "<a>&nope;</a>",
            "<a>&#0;</a>",
        ] {
            assert_eq!(broken(xml), Some(Reason::Malformed), "{xml}");
        }
        assert_eq!(broken("<a/>"), None);
    }

    #[test]
    fn kettering_section_19_text_is_put_together() {
        let root = parse(
            b"<a>1 &lt; <![CDATA[2 &]]> &#181;g</a>",
            "part",
            &Limits::default(),
        );
        assert_eq!(root.unwrap().text(), "1 < 2 & µg");
    }

    #[test]
    fn limits_depth_at_the_limit_and_past_it() {
        let limits = Limits::default();
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert_eq!(reason(&nested(limits.xml_depth), &limits), None);
        assert_eq!(
            reason(&nested(limits.xml_depth + 1), &limits),
            Some(Reason::TooDeep)
        );
    }

    #[test]
    fn limits_attributes_at_the_limit_and_past_it() {
        let limits = Limits::default();
        let wide = |count: usize| {
            let all: String = (0..count).map(|index| format!(" a{index}='x'")).collect();
            format!("<a{all}/>")
        };
        assert_eq!(reason(&wide(limits.xml_attributes), &limits), None);
        assert_eq!(
            reason(&wide(limits.xml_attributes + 1), &limits),
            Some(Reason::TooLarge)
        );
    }

    #[test]
    fn limits_text_at_the_limit_and_past_it() {
        let limits = Limits {
            xml_text_bytes: 8,
            ..Limits::default()
        };
        assert_eq!(reason("<a>12345678</a>", &limits), None);
        assert_eq!(
            reason("<a>1234<![CDATA[56789]]></a>", &limits),
            Some(Reason::TooLarge)
        );
    }

    #[test]
    fn limits_elements_at_the_limit_and_past_it() {
        let limits = Limits::default();
        let many = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
        assert_eq!(reason(&many(ELEMENTS_MAX), &limits), None);
        assert_eq!(
            reason(&many(ELEMENTS_MAX + 1), &limits),
            Some(Reason::TooLarge)
        );
    }
}
