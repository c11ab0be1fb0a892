//! Data types inside fields: repetitions, components, names, numbers.

use super::message::{Message, Segment};
use crate::names::Name;
use crate::reading::Notes;

/// A message with the notes that reading its fields makes.
pub(super) struct Fields<'m, 'a> {
    pub(super) message: &'m Message<'a>,
    pub(super) notes: &'m mut Notes,
}

impl<'m, 'a> Fields<'m, 'a> {
    pub(super) const fn new(message: &'m Message<'a>, notes: &'m mut Notes) -> Self {
        Self { message, notes }
    }

    /// The repetitions of a field that hold anything.
    pub(super) fn repetitions<'s>(&self, segment: Segment<'s>, number: usize) -> Vec<&'s [u8]> {
        let sign = self.message.delimiters().repetition;
        let parts = segment.field(number).split(move |byte| *byte == sign);
        parts.filter(|part| !part.is_empty()).collect()
    }

    /// Component n, counted from 1, of a raw repetition; its first subcomponent.
    pub(super) fn component(&mut self, raw: &[u8], number: usize) -> Option<String> {
        self.subcomponent(raw, number, 1)
    }

    pub(super) fn subcomponent(
        &mut self,
        raw: &[u8],
        component: usize,
        number: usize,
    ) -> Option<String> {
        let delimiters = self.message.delimiters();
        let part = raw_part(raw, delimiters.component, component);
        let part = raw_part(part, delimiters.subcomponent, number);
        let text = self.message.text(part, "field", self.notes);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Component 1 of the first repetition of a field.
    pub(super) fn value(&mut self, segment: Segment<'_>, number: usize) -> Option<String> {
        self.value_at(segment, number, 1)
    }

    pub(super) fn value_at(
        &mut self,
        segment: Segment<'_>,
        number: usize,
        component: usize,
    ) -> Option<String> {
        let first = self.repetitions(segment, number).first().copied()?;
        self.component(first, component)
    }

    /// A person in XCN (first component an id) or XPN form, from the component of the family name.
    pub(super) fn name(&mut self, raw: &[u8], family_at: usize) -> Option<Name> {
        let family = self.component(raw, family_at)?;
        let given = self.component(raw, family_at + 1);
        let middle = self.component(raw, family_at + 2);
        let all: Vec<String> = given.into_iter().chain(middle).collect();
        Some(Name {
            family,
            given: (!all.is_empty()).then(|| all.join(" ")),
            title: self.component(raw, family_at + 4),
        })
    }
}

fn raw_part(raw: &[u8], sign: u8, number: usize) -> &[u8] {
    let mut parts = raw.split(|byte| *byte == sign);
    parts.nth(number.saturating_sub(1)).unwrap_or_default()
}

/// The whole of component n, with its subcomponents.
pub(super) fn raw_component<'r>(raw: &'r [u8], message: &Message<'_>, number: usize) -> &'r [u8] {
    raw_part(raw, message.delimiters().component, number)
}

/// A person's name as one text: title, given names, family name.
pub(super) fn shown(name: &Name) -> String {
    let parts = [name.title.as_ref(), name.given.as_ref(), Some(&name.family)];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    parts.join(" ")
}
