//! A reading as JSON, with the members of design section 8.

use nhs_types::{BirthDate, Sensitive};
use serde::ser::{SerializeMap as _, SerializeStruct as _};
use serde::{Serialize, Serializer};

use super::Reading;
use crate::{
    Attachment, Disposition, DocumentFacts, Format, GpFacts, PatientFacts, Section, SourceDocument,
};

impl Reading {
    /// The reading as a value to be written as JSON: the members of design section 8. It holds
    /// the true values, for the person who asked for this document.
    pub const fn to_json(&self) -> &impl Serialize {
        self
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let source = &self.document;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("format", source.format.as_str())?;
        map.serialize_entry("disposition", &self.disposition)?;
        map.serialize_entry("reason", &self.reason)?;
        map.serialize_entry("document", &DocumentJson(&source.document))?;
        map.serialize_entry("patient", &PatientJson(&source.patient))?;
        map.serialize_entry("gp", &GpJson(&source.gp))?;
        map.serialize_entry("author", &source.author)?;
        map.serialize_entry("encounter", &source.encounter)?;
        map.serialize_entry("sections", &sections(&source.sections))?;
        self.optional_members(&mut map)?;
        map.serialize_entry("warnings", &self.warnings)?;
        map.serialize_entry("findings", &self.findings)?;
        map.end()
    }
}

impl Reading {
    fn optional_members<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let source = &self.document;
        if !source.sections_rejected_view.is_empty() {
            let refused = sections(&source.sections_rejected_view);
            map.serialize_entry("sections_rejected_view", &refused)?;
        }
        let fixed = preformatted(source);
        if !fixed.is_empty() {
            map.serialize_entry("preformatted_sections", &fixed)?;
        }
        if matches!(source.format, Format::Hl7v2 | Format::Mllp) {
            map.serialize_entry("body_lines", &source.body_lines)?;
            map.serialize_entry("ack", self.ack_code())?;
        }
        if !source.cc.is_empty() {
            map.serialize_entry("cc", &source.cc)?;
        }
        if let Some(attachment) = &source.attachment {
            map.serialize_entry("attachment", &AttachmentJson(attachment))?;
        }
        if let Some(reason) = &source.change_reason {
            map.serialize_entry("change_reason", reason)?;
        }
        if source.images > 0 {
            map.serialize_entry("images", &source.images)?;
        }
        if let Some(encoding) = &source.encoding {
            map.serialize_entry("encoding", encoding)?;
        }
        Ok(())
    }

    const fn ack_code(&self) -> &'static str {
        match self.disposition {
            Disposition::Reject => "AR",
            _ => "AA",
        }
    }
}

fn sections(sections: &[Section]) -> Vec<SectionJson<'_>> {
    sections.iter().map(SectionJson).collect()
}

fn preformatted(source: &SourceDocument) -> Vec<&str> {
    let fixed = source
        .sections
        .iter()
        .filter(|section| section.preformatted);
    fixed.map(heading).collect()
}

fn heading(section: &Section) -> &str {
    section
        .heading
        .as_ref()
        .map_or("", |heading| heading.expose())
}

struct SectionJson<'a>(&'a Section);

impl Serialize for SectionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Section", 2)?;
        form.serialize_field("heading", heading(self.0))?;
        form.serialize_field("text", &self.0.text)?;
        form.end()
    }
}

struct AttachmentJson<'a>(&'a Attachment);

impl Serialize for AttachmentJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("media_type", self.0.media_type())?;
        map.serialize_entry("bytes", &self.0.expose_bytes().len())?;
        map.serialize_entry("sha256", &self.0.sha256())?;
        if let Some(chunks) = self.0.obx_chunks() {
            map.serialize_entry("obx_chunks", &chunks)?;
        }
        map.end()
    }
}

struct DocumentJson<'a>(&'a DocumentFacts);

impl Serialize for DocumentJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let facts = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &facts.kind)?;
        map.serialize_entry("title", &facts.title)?;
        map.serialize_entry("unique_id", &facts.unique_id)?;
        map.serialize_entry("parent_id", &facts.parent_id)?;
        map.serialize_entry("relation", &facts.relation)?;
        map.serialize_entry("document_date", &facts.document_date)?;
        map.serialize_entry("signed_at", &facts.signed_at.map(|time| time.to_rfc3339()))?;
        map.serialize_entry("completion", &facts.completion)?;
        let event_at = facts.event_at.map(|time| time.to_rfc3339());
        optional(&mut map, "event_at", event_at.as_ref())?;
        optional(&mut map, "control_id", facts.control_id.as_ref())?;
        optional(&mut map, "event", facts.event.as_ref())?;
        optional(&mut map, "availability", facts.availability.as_ref())?;
        map.end()
    }
}

fn optional<M: serde::ser::SerializeMap>(
    map: &mut M,
    name: &str,
    value: Option<&String>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}

struct PatientJson<'a>(&'a PatientFacts);

impl Serialize for PatientJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let facts = self.0;
        let dob: Option<&BirthDate> = facts.dob.as_ref();
        let address: &Sensitive<Vec<String>> = &facts.address;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("nhs_number", &facts.nhs_number)?;
        map.serialize_entry("hospital_number", &facts.hospital_number)?;
        map.serialize_entry("family", &facts.family)?;
        map.serialize_entry("given", &facts.given)?;
        map.serialize_entry("title", &facts.title)?;
        map.serialize_entry("dob", &dob)?;
        map.serialize_entry("sex", &facts.sex)?;
        map.serialize_entry("address", address)?;
        map.serialize_entry("postcode", &facts.postcode)?;
        map.end()
    }
}

struct GpJson<'a>(&'a GpFacts);

impl Serialize for GpJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let facts = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("practice_code", &facts.practice_code)?;
        optional(&mut map, "practice_name", facts.practice_name.as_ref())?;
        optional(&mut map, "gp_code", facts.gp_code.as_ref())?;
        optional(&mut map, "gp_family", facts.gp_family.as_ref())?;
        optional(&mut map, "gp_given", facts.gp_given.as_ref())?;
        optional(&mut map, "gp_title", facts.gp_title.as_ref())?;
        map.end()
    }
}
