//! From the lines of a letter to its title, sections, signature and marks: what report text,
//! Word and HL7 bodies have in common (source-documents section 2, rules 2 to 6).

mod marks;
mod preface;
mod sections;
mod signature;

use nhs_types::{Location, Sensitive};

use crate::head::Head;
use crate::labels::Labels;
use crate::reading::Notes;
use crate::{
    Completion, Disposition, DocumentKind, Field, ReadOptions, Reason, Relation, SourceDocument,
    Warning,
};

use marks::Marks;
pub(crate) use sections::{Joining, sections};
use signature::Signature;

/// Between the paragraphs of a table's cell, until the row is understood.
pub(crate) const CELL_BREAK: char = '\u{2028}';

/// A line of a letter.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) kind: LineKind,
}

/// What the format says about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Nothing.
    Plain,
    /// A heading of this level, counted from 1.
    Heading(u8),
    /// A row of a table, cells separated by tabs.
    Row,
}

impl Line {
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            kind: LineKind::Plain,
        }
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// How a format's lines are to be understood.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// All labels before the first section belong to the head, not only date and number.
    pub(crate) head_in_body: bool,
    /// A signature line may stand without angle brackets.
    pub(crate) plain_signature: bool,
    /// How lines become paragraphs.
    pub(crate) joining: Joining,
}

/// What the lines of a letter said.
pub(crate) struct Composed {
    pub(crate) head: Head,
}

/// Reads the lines of a letter into the document; the head it finds on its way is given back, to
/// be completed and filled in by the caller.
pub(crate) fn compose(
    lines: Vec<Line>,
    rules: Rules,
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) -> Composed {
    let labels = Labels::new(options);
    let marks = Marks::new(options);
    let mut head = Head::default();
    let lines = signature::unwrapped(lines, options);
    let (body, trailer) = split_trailer(lines, rules, &labels, options);
    let seen = marks.seen(&body, &[]);
    source.unread_signature = body
        .iter()
        .any(|line| Signature::find(&line.text, true, options).is_some());
    read_trailer(
        &trailer,
        rules,
        &labels,
        options,
        (source, &mut head),
        notes,
    );
    let cancelled = seen.cancelled;
    let place = (&mut *source, &mut head);
    let content = preface::read(&body, rules, &labels, &marks, cancelled, place);
    source.sections = sections(&content, &labels, rules.joining);
    seen.apply(source, notes);
    set_kind(source, options, notes);
    Composed { head }
}

/// The longest tail of lines that are blank, signature, footer or copies (rule 6).
fn split_trailer(
    mut lines: Vec<Line>,
    rules: Rules,
    labels: &Labels,
    options: &ReadOptions,
) -> (Vec<Line>, Vec<Line>) {
    let ends = |line: &&Line| {
        line.kind == LineKind::Plain
            && (line.is_blank()
                || Signature::find(&line.text, rules.plain_signature, options).is_some()
                || is_footer(&line.text, labels, options))
    };
    let tail = lines.iter().rev().take_while(ends).count();
    let mut trailer = lines.split_off(lines.len() - tail);
    // What stands above the signature was signed: it is content, whatever it looks like.
    let is_signature =
        |line: &Line| Signature::find(&line.text, rules.plain_signature, options).is_some();
    if let Some(signature) = trailer.iter().position(is_signature) {
        let below = trailer.split_off(signature);
        lines.append(&mut trailer);
        trailer = below;
    }
    (lines, trailer)
}

fn is_footer(line: &str, labels: &Labels, options: &ReadOptions) -> bool {
    let marked = |marks: &[String]| marks.iter().any(|mark| after_mark(line, mark).is_some());
    let number = labels.pairs(line).into_iter().next();
    let numbered = number.is_some_and(|(field, value)| {
        field == Field::DocumentNumber && value.contains(|c: char| c.is_ascii_digit())
    });
    numbered || marked(&options.footer_marks) || marked(&options.copy_marks)
}

/// The text after `MARK:` at the start of a line.
fn after_mark<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let (label, value) = line.split_once(':')?;
    (label.trim().to_lowercase() == mark.to_lowercase()).then(|| value.trim())
}

fn read_trailer(
    trailer: &[Line],
    rules: Rules,
    labels: &Labels,
    options: &ReadOptions,
    (source, head): (&mut SourceDocument, &mut Head),
    notes: &mut Notes,
) {
    let mut signed = Vec::new();
    for line in trailer {
        if let Some(one) = Signature::find(&line.text, rules.plain_signature, options) {
            signed.push(one);
            continue;
        }
        let copy = options
            .copy_marks
            .iter()
            .find_map(|mark| after_mark(&line.text, mark));
        match copy {
            Some(copy) if !copy.is_empty() => source.cc.push(Sensitive::new(copy.to_owned())),
            Some(_) => {}
            None => head.add(
                labels
                    .pairs(&line.text)
                    .into_iter()
                    .filter(|(field, _)| *field == Field::DocumentNumber),
            ),
        }
    }
    signature::apply(&signed, source, notes);
}

/// The kind of letter by its title, unless a code already told (section 2).
pub(crate) fn set_kind(source: &mut SourceDocument, options: &ReadOptions, notes: &mut Notes) {
    if source.document.kind.is_some() {
        return;
    }
    let title = source.document.title.as_ref();
    let title = title.map_or_else(String::new, |title| title.expose().to_uppercase());
    let rule = options
        .titles
        .iter()
        .find(|rule| title.contains(&rule.contains.to_uppercase()));
    if rule.is_none() {
        let why = "neither a code nor the title tells the kind of document";
        notes.warn(Warning::UnknownDocumentType, Location::Whole, why);
    }
    let kind = rule.map_or(DocumentKind::HospitalLetter, |rule| rule.kind.clone());
    source.document.kind = Some(kind);
}

/// Marks found anywhere in a letter.
pub(crate) struct Seen {
    unsigned: Option<Completion>,
    cancelled: bool,
    restricted: bool,
}

impl Seen {
    /// A draft banner wins over any signature; a cancelled banner takes the document back.
    pub(crate) fn apply(&self, source: &mut SourceDocument, notes: &mut Notes) {
        source.restricted |= self.restricted;
        if let Some(completion) = self.unsigned {
            source.document.completion = Some(completion);
            source.document.signed_at = None;
            source.author = crate::Author::default();
        }
        if self.cancelled {
            source.document.relation = Relation::Cancel;
            let place = Location::Named("banner".to_owned());
            let why = "a banner says that the document is cancelled";
            notes.stop_as(Reason::Cancelled, Disposition::Withdraw, place, why);
        }
    }
}

/// What marks say that stand outside a letter's body: page banners, headers, watermarks.
pub(crate) fn outer_marks(lines: &[Line], options: &ReadOptions) -> Seen {
    Marks::new(options).seen(&[], lines)
}

/// What marks say in a body that is not composed.
pub(crate) fn body_marks(lines: &[Line], options: &ReadOptions) -> Seen {
    Marks::new(options).seen(lines, &[])
}
