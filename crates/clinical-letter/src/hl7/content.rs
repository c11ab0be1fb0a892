//! OBX: lines of text, and files in pieces (source-documents section 4).

use nhs_types::Sensitive;

use super::escape::{hex_bytes, unescape_bytes};
use super::fields::{Fields, raw_component};
use super::message::{Message, Segment};
use super::patient::stop_at;
use crate::attached;
use crate::reading::{Notes, Refusal};
use crate::{Attachment, ReadOptions, Reason, Relation, SourceDocument};

pub(super) fn read(
    message: &Message<'_>,
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) -> Result<(), Refusal> {
    let mut pieces = Vec::new();
    let mut seen = false;
    for (index, obx) in message.named(b"OBX").enumerate() {
        seen = true;
        let place = format!("OBX[{}]", index + 1);
        let mut fields = Fields::new(message, notes);
        let kind = fields.value(obx, 2).unwrap_or_default();
        let status = fields.value(obx, 11);
        check_status(status.as_deref(), &place, notes);
        match kind.as_str() {
            "TX" | "FT" | "ST" => {
                let text = text(message, obx, &place, notes);
                let lines = text.split('\n').map(|line| Sensitive::new(line.to_owned()));
                source.body_lines.extend(lines);
            }
            "ED" => pieces.push((index, obx)),
            "RP" => {
                let why = "the content is a pointer, which is not followed";
                stop_at(Reason::ReferencePointer, &place, why, notes);
            }
            _ if obx.field(5).is_empty() => {}
            _ => {
                let why = "an OBX of a type that is not read: the letter would not be whole";
                stop_at(Reason::IncompleteDocument, &place, why, notes);
            }
        }
    }
    if !seen && source.document.relation != Relation::Cancel {
        let why = "the message has no OBX segment";
        stop_at(Reason::IncompleteDocument, "OBX", why, notes);
    }
    if !pieces.is_empty() {
        read_file(message, &pieces, options, source, notes);
    }
    Ok(())
}

/// OBX-11: F and C are final, empty is taken as final (release rule, section 5).
fn check_status(status: Option<&str>, place: &str, notes: &mut Notes) {
    match status {
        None | Some("F" | "C") => {}
        Some("W") => {
            let why = "OBX-11 says that the content was posted for the wrong patient";
            stop_at(Reason::PatientMismatch, place, why, notes);
        }
        Some(_) => stop_at(Reason::NotFinal, place, "OBX-11 is neither F nor C", notes),
    }
}

/// The text of a TX, FT or ST: repetitions are line breaks, spaces stay.
fn text(message: &Message<'_>, obx: Segment<'_>, place: &str, notes: &mut Notes) -> String {
    let sign = message.delimiters().repetition;
    let place = format!("{place}-5");
    let parts = obx.field(5).split(|byte| *byte == sign);
    let parts: Vec<String> = parts.map(|raw| message.text(raw, &place, notes)).collect();
    parts.join("\n")
}

/// Joins the pieces of one file, decodes them once, and looks at what came out.
fn read_file(
    message: &Message<'_>,
    pieces: &[(usize, Segment<'_>)],
    options: &ReadOptions,
    source: &mut SourceDocument,
    notes: &mut Notes,
) {
    match decode_file(message, pieces, notes) {
        Ok((bytes, label)) => {
            let attachment = attached::check(bytes, &label, options, source, notes);
            source.attachment = attachment.map(|one: Attachment| one.with_obx_chunks(pieces.len()));
        }
        Err(why) => {
            let place = pieces.first().map_or(1, |(index, _)| index + 1);
            stop_at(
                Reason::AttachmentInvalid,
                &format!("OBX[{place}]-5"),
                why,
                notes,
            );
        }
    }
}

fn decode_file(
    message: &Message<'_>,
    pieces: &[(usize, Segment<'_>)],
    notes: &mut Notes,
) -> Result<(Vec<u8>, String), &'static str> {
    check_order(message, pieces, notes)?;
    let first = pieces
        .first()
        .map(|(_, obx)| obx.field(5))
        .unwrap_or_default();
    let mut fields = Fields::new(message, notes);
    let label = fields.component(first, 3).unwrap_or_default();
    let encoding = fields
        .component(first, 4)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let data: Vec<Vec<u8>> = pieces
        .iter()
        .map(|(_, obx)| {
            let raw = raw_component(obx.field(5), message, 5);
            unescape_bytes(raw, message.delimiters()).0
        })
        .collect();
    let bytes = match encoding.as_str() {
        "base64" => base64_pieces(&data)?,
        "a" => data.concat(),
        "hex" => hex_bytes(&compact(&data.concat())).ok_or("the hex cannot be decoded")?,
        _ => return Err("ED-4 is none of Base64, A and Hex"),
    };
    if bytes.is_empty() {
        return Err("the file is empty");
    }
    Ok((bytes, label.to_ascii_lowercase()))
}

/// Pieces belong together when OBX-3 and OBX-4 are the same, and OBX-1 counts on.
fn check_order(
    message: &Message<'_>,
    pieces: &[(usize, Segment<'_>)],
    notes: &mut Notes,
) -> Result<(), &'static str> {
    let mut former: Option<(usize, Segment<'_>, Option<u32>)> = None;
    for (index, obx) in pieces {
        let number = Fields::new(message, notes)
            .value(*obx, 1)
            .and_then(|text| text.parse().ok());
        if let Some((former_index, before, former_number)) = former {
            if before.field(3) != obx.field(3) || before.field(4) != obx.field(4) {
                return Err("the message holds several files; only one is read");
            }
            let counts_on = match (former_number, number) {
                (Some(former), Some(number)) => former < u32::MAX && number == former + 1,
                _ => true,
            };
            if !counts_on || *index != former_index + 1 {
                return Err("the pieces of the file are out of order");
            }
        }
        former = Some((*index, *obx, number));
    }
    Ok(())
}

fn base64_pieces(pieces: &[Vec<u8>]) -> Result<Vec<u8>, &'static str> {
    const WRONG: &str = "the base64 cannot be decoded";
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| compact(piece)).collect();
    let padded = |piece: &Vec<u8>| piece.ends_with(b"=");
    let apart = pieces
        .split_last()
        .is_some_and(|(_, before)| before.iter().any(padded));
    if !apart {
        return attached::base64(&pieces.concat()).ok_or(WRONG);
    }
    let decoded: Option<Vec<Vec<u8>>> =
        pieces.iter().map(|piece| attached::base64(piece)).collect();
    decoded.map(|pieces| pieces.concat()).ok_or(WRONG)
}

fn compact(bytes: &[u8]) -> Vec<u8> {
    let kept = bytes.iter().copied();
    kept.filter(|byte| !byte.is_ascii_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(pieces: &[&str]) -> Result<Vec<u8>, &'static str> {
        let pieces: Vec<Vec<u8>> = pieces
            .iter()
            .map(|piece| piece.as_bytes().to_vec())
            .collect();
        base64_pieces(&pieces)
    }

    #[test]
    fn section_4_pieces_are_joined_and_decoded_once() {
        assert_eq!(
            decoded(&["aGV", "sbG8gd29", "ybGQ="]).unwrap(),
            b"hello world"
        );
        assert_eq!(decoded(&["aGVsbG8gd29ybGQ"]).unwrap(), b"hello world");
    }

    #[test]
    fn section_4_pieces_that_were_encoded_apart_are_decoded_apart() {
        assert_eq!(decoded(&["aGVsbG8=", "IHdvcmxk"]).unwrap(), b"hello world");
    }

    #[test]
    fn section_9_base64_is_strict() {
        assert_eq!(decoded(&["aGV\r\nsbG8="]).unwrap(), b"hello");
        for wrong in ["aGV%sbG8", "a", "aGVsbG8==="] {
            assert!(decoded(&[wrong]).is_err(), "{wrong}");
        }
    }
}
