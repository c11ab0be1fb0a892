//! Word 2007 and later (source-documents section 7.1).

mod body;
mod numbering;
mod package;
mod styles;
mod symbols;
mod xml;

use nhs_types::Location;

use crate::compose::{Joining, Line, Rules, compose, outer_marks};
use crate::head::Head;
use crate::identity::Identity;
use crate::labels::Labels;
use crate::reading::{Notes, Refusal};
use crate::{Format, ReadOptions, Reading, Reason, Section, SourceDocument, Warning};

use body::{Found, View, Walk};
use numbering::Numbering;
use package::{Package, Relationships, malformed, place};
use styles::Styles;
use xml::Element;

const RULES: Rules = Rules {
    head_in_body: true,
    plain_signature: true,
    joining: Joining::Lines,
};

/// The parts of a file that are read, as trees.
struct Parts {
    document: Element,
    outer: Vec<(String, Element)>,
    footnotes: Option<Element>,
    endnotes: Option<Element>,
    styles: Styles,
    numbering: Option<Element>,
}

pub(crate) fn read(bytes: &[u8], options: &ReadOptions) -> Reading {
    let mut notes = Notes::default();
    let mut source = SourceDocument {
        format: Format::Docx,
        ..SourceDocument::default()
    };
    match read_file(bytes, options, &mut source, &mut notes) {
        Ok(()) => Reading::judged(source, notes),
        Err(why) => Reading::refused(source, notes, why),
    }
}

/// Whom an attached file names; what stands against sending it goes into the notes.
pub(crate) fn inspect(bytes: &[u8], options: &ReadOptions, notes: &mut Notes) -> Option<Identity> {
    let mut inner = SourceDocument::default();
    match read_file(bytes, options, &mut inner, notes) {
        Ok(()) => Some(Identity::from(&inner.patient)),
        Err(why) => {
            notes.stop(why.reason, why.place, &why.message);
            None
        }
    }
}

fn read_file(
    bytes: &[u8],
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) -> Result<(), Refusal> {
    let mut package = Package::open(bytes, options.limits)?;
    package.check_active(notes)?;
    let parts = parts(&mut package)?;
    let labels = Labels::new(options);

    let (lines, mut found) = parts.walk(&parts.document, View::Accepted);
    let outer: Vec<(&str, Vec<Line>)> = parts
        .outer
        .iter()
        .map(|(name, root)| {
            let (lines, inner) = parts.walk(root, View::Accepted);
            found.take_marks(inner);
            (name.as_str(), lines)
        })
        .collect();
    let marks: Vec<Line> = outer.iter().flat_map(|(_, lines)| lines.clone()).collect();
    let watermarks = found
        .watermarks
        .iter()
        .map(|text| Line::plain(text.as_str()));
    let marks: Vec<Line> = marks.into_iter().chain(watermarks).collect();

    let mut composed = compose(lines, RULES, options, source, notes);
    outer_marks(&marks, options).apply(source, notes);
    let heads: Vec<(&str, Head)> = outer
        .iter()
        .map(|(name, lines)| (*name, head(lines, &labels)))
        .collect();
    check_identity(&composed.head, &heads, notes);
    for (_, head) in heads {
        composed.head.add(head.into_pairs());
    }
    composed.head.fill(source, options, notes);
    parts.add_notes(&found, source)?;
    parts.check_refused_view(&found, options, source);
    report(&found, source, notes)
}

fn head(lines: &[Line], labels: &Labels) -> Head {
    let mut head = Head::default();
    for line in lines {
        head.add(labels.pairs(&line.text));
    }
    head
}

/// Header and footer must not name another patient than the body, or one another.
fn check_identity(body: &Head, outer: &[(&str, Head)], notes: &mut Notes) {
    let mut known = vec![body.identity(None)];
    for (name, head) in outer {
        let identity = head.identity(None);
        if known.iter().any(|one| one.differs_from(&identity)) {
            let why = "header or footer names another patient";
            notes.stop(Reason::PatientMismatch, place(name), why);
        }
        known.push(identity);
    }
}

/// Opens the parts that are read: document, header, footer, notes, styles, numbering.
fn parts(package: &mut Package<'_>) -> Result<Parts, Refusal> {
    let roots = package.relationships("")?;
    let main = roots
        .values()
        .find(|one| one.kind == "officeDocument" && !one.external);
    let name = main.map(|one| one.target.clone());
    let name = name.ok_or_else(|| malformed("_rels/.rels", "no main document is named"))?;
    let document = package.part(&name)?;
    let related = package.relationships(&name)?;
    let mut outer = Vec::new();
    for kind in ["header", "footer"] {
        for target in targets(&related, kind) {
            let root = package.part(&target)?;
            outer.push((target, root));
        }
    }
    let styles = optional(package, &related, "styles")?;
    Ok(Parts {
        document,
        outer,
        footnotes: optional(package, &related, "footnotes")?,
        endnotes: optional(package, &related, "endnotes")?,
        styles: styles.as_ref().map(Styles::read).unwrap_or_default(),
        numbering: optional(package, &related, "numbering")?,
    })
}

fn targets(related: &Relationships, kind: &str) -> Vec<String> {
    let of_kind = related
        .values()
        .filter(|one| one.kind == kind && !one.external);
    let mut targets: Vec<String> = of_kind.map(|one| one.target.clone()).collect();
    targets.sort();
    targets.dedup();
    targets
}

fn optional(
    package: &mut Package<'_>,
    related: &Relationships,
    kind: &str,
) -> Result<Option<Element>, Refusal> {
    let target = targets(related, kind).into_iter().next();
    let target = target.filter(|target| package.has(target));
    target.map(|target| package.part(&target)).transpose()
}

impl Parts {
    fn walk(&self, root: &Element, view: View) -> (Vec<Line>, Found) {
        let numbering = self
            .numbering
            .as_ref()
            .map(Numbering::read)
            .unwrap_or_default();
        Walk::new(&self.styles, numbering, view).read(root)
    }

    /// Footnotes and endnotes, in the order of their marks, after the content.
    fn add_notes(&self, found: &Found, source: &mut SourceDocument) -> Result<(), Refusal> {
        let mut texts = Vec::new();
        for (index, note) in found.notes.iter().enumerate() {
            let (part, name) = if note.endnote {
                (&self.endnotes, "endnote")
            } else {
                (&self.footnotes, "footnote")
            };
            let of_id = |one: &&Element| {
                one.is(xml::Ns::Word, name)
                    && one.attribute(xml::Ns::Word, "id") == Some(note.id.as_str())
            };
            let element = part.as_ref().and_then(|part| part.elements().find(of_id));
            let why = "a note is referred to that does not exist";
            let element = element.ok_or_else(|| malformed("word/document.xml", why))?;
            let (lines, _) = self.walk(element, View::Accepted);
            let lines: Vec<&str> = lines.iter().map(|line| line.text.trim()).collect();
            texts.push(format!("[{}] {}", index + 1, lines.join("\n").trim()));
        }
        if !texts.is_empty() {
            source.sections.push(Section::new("", texts.join("\n")));
        }
        Ok(())
    }

    /// With tracked changes, the content as if all were refused, for the person who decides.
    fn check_refused_view(
        &self,
        found: &Found,
        options: &ReadOptions,
        source: &mut SourceDocument,
    ) {
        if !found.tracked {
            return;
        }
        let (lines, _) = self.walk(&self.document, View::Rejected);
        let mut scratch = SourceDocument::default();
        compose(lines, RULES, options, &mut scratch, &mut Notes::default());
        source.sections_rejected_view = scratch.sections;
    }
}

impl Found {
    /// What a header or footer found besides its text. Its images are letterheads, not counted.
    fn take_marks(&mut self, other: Self) {
        self.tracked |= other.tracked;
        self.active |= other.active;
        self.open_field |= other.open_field;
        self.watermarks.extend(other.watermarks);
    }
}

fn report(found: &Found, source: &mut SourceDocument, notes: &mut Notes) -> Result<(), Refusal> {
    let body = || Location::Named("word/document.xml".to_owned());
    if found.open_field {
        return Err(malformed(
            "word/document.xml",
            "a field begins and does not end",
        ));
    }
    if found.active {
        let why = "the text holds embedded objects or fields that fetch";
        notes.stop(Reason::ActiveContent, body(), why);
    }
    if found.tracked {
        let why = "changes are tracked that nobody accepted or refused";
        notes.stop(Reason::TrackedChanges, body(), why);
    }
    source.images = found.images;
    for warning in &found.warnings {
        notes.warn(
            *warning,
            body(),
            "something in the text is not shown as it stands there",
        );
    }
    if found.images > 0 {
        notes.warn(Warning::ImagePresent, body(), "images are not text");
    }
    Ok(())
}
