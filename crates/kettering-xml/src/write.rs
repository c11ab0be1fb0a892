use std::fmt::Write as _;

use crate::{Element, Encoding};

/// How the text of `TextBlock` is put into XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// CDATA: what the encoding lacks becomes a reference of HTML.
    Html,
    /// Escaped: what the encoding lacks becomes a reference of XML.
    Text,
}

/// Writes a tree as the bytes of a message: two spaces of indent, none within scalars.
pub(crate) fn write(root: &Element, block: Block, encoding: Encoding, doctype: bool) -> Vec<u8> {
    let mut out = Writer {
        text: String::new(),
        encoding,
        block,
    };
    let name = match encoding {
        Encoding::Latin1 => "iso-8859-1",
        Encoding::Utf8 => "UTF-8",
    };
    let _ = writeln!(out.text, "<?xml version=\"1.0\" encoding=\"{name}\"?>");
    if doctype {
        out.text.push_str(DOCTYPE);
    }
    out.element(root, 0);
    encode(out.text, encoding)
}

/// The EDT server wants it; nothing is ever fetched by it (facts, section 2).
const DOCTYPE: &str = "<!DOCTYPE ReportMsg SYSTEM \"ReportMsg_EDT_03.dtd\">\n";

/// Whether a character can stand as itself.
pub(crate) const fn carries(encoding: Encoding, c: char) -> bool {
    match encoding {
        Encoding::Latin1 => (c as u32) <= 0xFF,
        Encoding::Utf8 => true,
    }
}

fn encode(text: String, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 => text.into_bytes(),
        // The writer left no character that would need the replacement.
        Encoding::Latin1 => text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
            .collect(),
    }
}

struct Writer {
    text: String,
    encoding: Encoding,
    block: Block,
}

impl Writer {
    fn element(&mut self, element: &Element, depth: usize) {
        self.indent(depth);
        let name = element.name();
        let _ = write!(self.text, "<{name}");
        for (key, value) in element.attributes() {
            let _ = write!(self.text, " {key}=\"");
            self.escaped(value);
            self.text.push('"');
        }
        if element.children().is_empty() && element.raw_text().is_empty() {
            self.text.push_str("/>\n");
            return;
        }
        self.text.push('>');
        if element.children().is_empty() {
            self.content(element);
        } else {
            self.text.push('\n');
            for child in element.children() {
                self.element(child, depth + 1);
            }
            self.indent(depth);
        }
        let _ = writeln!(self.text, "</{name}>");
    }

    fn indent(&mut self, depth: usize) {
        for _ in 0..depth {
            self.text.push_str("  ");
        }
    }

    fn content(&mut self, element: &Element) {
        let html = element.name() == crate::names::TEXT_BLOCK && self.block == Block::Html;
        if html {
            self.cdata(element.raw_text());
        } else {
            self.escaped(element.raw_text());
        }
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                c if carries(self.encoding, c) => self.text.push(c),
                c => {
                    let _ = write!(self.text, "&#{};", u32::from(c));
                }
            }
        }
    }

    /// `K-P08`: `]]>` is split over two sections.
    fn cdata(&mut self, text: &str) {
        self.text.push_str("<![CDATA[");
        self.text.push_str(&text.replace("]]>", "]]]]><![CDATA[>"));
        self.text.push_str("]]>");
    }
}

/// Puts what the encoding lacks into references of HTML (facts 8.8).
pub(crate) fn html_for(encoding: Encoding, html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    for c in html.chars() {
        if carries(encoding, c) {
            out.push(c);
        } else {
            let _ = write!(out, "&#{};", u32::from(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(element: &Element, block: Block, encoding: Encoding) -> String {
        let bytes = write(element, block, encoding, false);
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        text.lines().skip(1).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn scalars_carry_no_padding() {
        let tree = Element::new("a")
            .child(Element::leaf("b", "x<&>\"'"))
            .child(Element::new("c"));
        let shown = written(&tree, Block::Text, Encoding::Utf8);
        assert_eq!(shown, "<a>|  <b>x&lt;&amp;&gt;&quot;'</b>|  <c/>|</a>");
    }

    #[test]
    fn k_p08_cdata_end_is_split() {
        let tree = Element::leaf("TextBlock", "<p>a]]>b]]]>c</p>");
        let shown = written(&tree, Block::Html, Encoding::Utf8);
        assert_eq!(
            shown,
            "<TextBlock><![CDATA[<p>a]]]]><![CDATA[>b]]]]]><![CDATA[>c</p>]]></TextBlock>"
        );
    }

    #[test]
    fn latin1_writes_references_for_what_it_lacks() {
        let tree = Element::leaf("b", "ŷ é €");
        let bytes = write(&tree, Block::Text, Encoding::Latin1, false);
        assert!(bytes.ends_with(b"<b>&#375; \xE9 &#8364;</b>\n"));
        assert_eq!(
            html_for(Encoding::Latin1, "<p>5 ≥ µ</p>"),
            "<p>5 &#8805; µ</p>"
        );
    }

    #[test]
    fn the_doctype_is_the_one_of_the_server() {
        let bytes = write(&Element::new("a"), Block::Text, Encoding::Latin1, true);
        let head = b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<!DOCTYPE ReportMsg SYSTEM \"ReportMsg_EDT_03.dtd\">\n";
        assert!(bytes.starts_with(head));
    }
}
