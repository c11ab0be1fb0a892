//! Report text (source-documents section 2).

mod pages;

use chrono::NaiveDate;
use nhs_types::Location;

use crate::compose::{Joining, Line, Rules, compose, outer_marks};
use crate::head::Head;
use crate::identity::Identity;
use crate::labels::{Labels, columns};
use crate::reading::{Notes, Refusal};
use crate::{Field, Format, ReadOptions, Reading, Reason, SourceDocument, Warning, charset};

use pages::Page;

const RULES: Rules = Rules {
    head_in_body: false,
    plain_signature: false,
    joining: Joining::Wrapped,
};

pub(crate) fn read(bytes: &[u8], options: &ReadOptions) -> Reading {
    let mut notes = Notes::default();
    let mut source = SourceDocument {
        format: Format::Text,
        ..SourceDocument::default()
    };
    match read_report(bytes, options, &mut source, &mut notes) {
        Ok(()) => Reading::judged(source, notes),
        Err(why) => Reading::refused(source, notes, why),
    }
}

fn read_report(
    bytes: &[u8],
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) -> Result<(), Refusal> {
    let (text, encoding) = charset::decode(bytes, notes);
    source.encoding = Some(encoding);
    if let Some(at) = text.find('\0') {
        let place = Location::Offset(u64::try_from(at).unwrap_or_default());
        return Err(Refusal::new(
            Reason::Malformed,
            place,
            "a NUL byte: this is no text",
        ));
    }
    let text = charset::clean(&text, true, notes);
    let pages = pages::split(&text, options)?;
    let labels = Labels::new(options);
    let mut heads = pages.iter().map(|page| head(page, &labels, notes));
    let mut head = heads.next().unwrap_or_default();
    let others: Vec<Head> = heads.collect();
    pages::check_count(&pages, notes);

    let body = pages.iter().flat_map(|page| page.body.iter());
    let body = body.map(|line| Line::plain(*line)).collect();
    let banners: Vec<Line> = pages
        .iter()
        .flat_map(|page| page.banner_parts())
        .map(Line::plain)
        .collect();
    let composed = compose(body, RULES, options, source, notes);
    outer_marks(&banners, options).apply(source, notes);
    head.add(composed.head.into_pairs());
    head.fill(source, options, notes);
    check_pages(&head, &others, source, notes);
    check_body(&pages, &head, &labels, source, notes);
    Ok(())
}

/// The head of a page: pairs, and lines that go on with the value above (rule 3).
fn head(page: &Page<'_>, labels: &Labels, notes: &mut Notes) -> Head {
    let mut head = Head::default();
    for line in &page.head {
        let (pairs, whole) = labels.pairs_and_rest(line);
        if pairs.is_empty() && line.starts_with([' ', '\t']) {
            head.go_on(line);
            continue;
        }
        if !whole {
            let why = "the head says something that no label leads to: extend the label map";
            notes.warn(
                Warning::HeadNotRead,
                Location::Named("head".to_owned()),
                why,
            );
        }
        head.add(pairs);
    }
    head
}

/// Every page must be about the patient of page 1 (rule 1).
fn check_pages(first: &Head, others: &[Head], source: &SourceDocument, notes: &mut Notes) {
    let day = source.document.document_date;
    let identity = first.identity(day);
    for (index, other) in others.iter().enumerate() {
        if other.identity(day).is_other_print_of(&identity) {
            let place = Location::Named(format!("page {}", index + 2));
            let why = "the patient line differs from that of page 1";
            notes.stop(Reason::PatientMismatch, place, why);
        }
    }
}

/// A line of the body that begins like a head and names another patient: two letters that were
/// run together, or a doubt that a person must settle. What stands within a line is text: a
/// maternity letter names the baby there.
fn check_body(
    pages: &[Page<'_>],
    first: &Head,
    labels: &Labels,
    source: &SourceDocument,
    notes: &mut Notes,
) {
    let day = source.document.document_date;
    let identity = first.identity(day);
    let lines = pages.iter().flat_map(|page| page.body.iter());
    for line in lines.filter(|line| !line.starts_with([' ', '\t'])) {
        let pair = columns(line)
            .next()
            .map(|part| labels.pairs(part))
            .unwrap_or_default();
        let who = [Field::PatientName, Field::NhsNumber];
        let mut other = Head::default();
        other.add(pair.into_iter().filter(|(field, _)| who.contains(field)));
        if other.identity(day).is_other_print_of(&identity) {
            let place = Location::Named("body".to_owned());
            let why = "a line of the body begins like a head and names another patient";
            notes.stop(Reason::PatientMismatch, place, why);
            return;
        }
    }
}

/// Whom a text names that has a head like a report's.
pub(crate) fn head_identity(
    text: &str,
    day: Option<NaiveDate>,
    options: &ReadOptions,
) -> Option<Identity> {
    let pages = pages::split(text, options).ok()?;
    let head = head(pages.first()?, &Labels::new(options), &mut Notes::default());
    Some(head.identity(day))
}
