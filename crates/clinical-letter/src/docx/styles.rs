//! Styles: heading levels, hidden text, numbering of a style.

use std::collections::BTreeMap;

use super::xml::{Element, Ns};

/// The styles of a document by their id.
#[derive(Debug, Default)]
pub(super) struct Styles(BTreeMap<String, Style>);

#[derive(Debug, Default)]
struct Style {
    based_on: Option<String>,
    heading: Option<u8>,
    numbering: Option<String>,
    hidden: Option<bool>,
}

/// Longest chain of styles that are based on one another.
const CHAIN_MAX: usize = 16;

impl Styles {
    pub(super) fn read(root: &Element) -> Self {
        let styles = root.elements().filter(|one| one.is(Ns::Word, "style"));
        let styles = styles.filter_map(|one| {
            let id = one.attribute(Ns::Word, "styleId")?;
            Some((id.to_owned(), style(one)))
        });
        Self(styles.collect())
    }

    /// The heading level of a paragraph style, from 1.
    pub(super) fn heading(&self, id: &str) -> Option<u8> {
        self.chain(id).find_map(|style| style.heading)
    }

    /// The numbering that a paragraph style brings.
    pub(super) fn numbering(&self, id: &str) -> Option<&str> {
        self.chain(id).find_map(|style| style.numbering.as_deref())
    }

    /// Whether text in this style is hidden.
    pub(super) fn is_hidden(&self, id: &str) -> bool {
        self.chain(id)
            .find_map(|style| style.hidden)
            .unwrap_or(false)
    }

    fn chain<'s>(&'s self, id: &str) -> impl Iterator<Item = &'s Style> {
        let next = |style: &&'s Style| self.0.get(style.based_on.as_deref()?);
        std::iter::successors(self.0.get(id), next).take(CHAIN_MAX)
    }
}

fn style(element: &Element) -> Style {
    let paragraph = element.child("pPr");
    let run = element
        .child("rPr")
        .filter(|run| run.child("vanish").is_some());
    let name = element.value("name").unwrap_or_default().to_lowercase();
    Style {
        based_on: element.value("basedOn").map(str::to_owned),
        heading: paragraph
            .and_then(outline_level)
            .or_else(|| named_level(&name)),
        numbering: paragraph
            .and_then(|one| one.child("numPr"))
            .and_then(|one| one.value("numId"))
            .map(str::to_owned),
        hidden: run.map(|run| run.is_on("vanish")),
    }
}

/// `w:outlineLvl` 0 to 8 is a heading of level 1 to 9; 9 is body text.
pub(super) fn outline_level(properties: &Element) -> Option<u8> {
    let level: u8 = properties.value("outlineLvl")?.parse().ok()?;
    (level < 9).then_some(level + 1)
}

fn named_level(name: &str) -> Option<u8> {
    match name.strip_prefix("heading ") {
        Some(level) => level.parse().ok().filter(|level| (1..=9).contains(level)),
        None => (name == "title").then_some(1),
    }
}
