//! Automatic numbers of lists, which are not in the text.

use std::collections::BTreeMap;

use super::xml::{Element, Ns};

/// The lists of a document, and how far each has counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    lists: BTreeMap<String, BTreeMap<usize, Level>>,
    instances: BTreeMap<String, Instance>,
    counts: BTreeMap<String, BTreeMap<usize, u32>>,
}

#[derive(Debug)]
struct Level {
    start: u32,
    format: String,
    text: String,
    style: Option<String>,
}

#[derive(Debug)]
struct Instance {
    list: String,
    restarts: BTreeMap<usize, u32>,
}

impl Numbering {
    pub(super) fn read(root: &Element) -> Self {
        let mut numbering = Self::default();
        for element in root.elements().filter(|one| one.ns == Ns::Word) {
            match &*element.name {
                "abstractNum" => {
                    let id = element
                        .attribute(Ns::Word, "abstractNumId")
                        .unwrap_or_default();
                    numbering.lists.insert(id.to_owned(), levels(element));
                }
                "num" => {
                    let id = element.attribute(Ns::Word, "numId").unwrap_or_default();
                    numbering.instances.insert(id.to_owned(), instance(element));
                }
                _ => {}
            }
        }
        numbering
    }

    /// Counts on, and gives the mark of the paragraph: `1.`, `•`, or nothing. Without a level the
    /// one that belongs to the paragraph's style is taken.
    pub(super) fn next(
        &mut self,
        number: &str,
        level: Option<usize>,
        style: &str,
    ) -> Option<String> {
        let instance = self.instances.get(number)?;
        let levels = self.lists.get(&instance.list)?;
        let of_style = || {
            let found = levels
                .iter()
                .find(|(_, level)| level.style.as_deref() == Some(style));
            found.map(|(level, _)| *level)
        };
        let at = level.or_else(of_style).unwrap_or(0);
        let shown = levels.get(&at)?;
        // A list that starts anew counts by itself; the others share their list's count.
        let key = if instance.restarts.is_empty() {
            &instance.list
        } else {
            number
        };
        let counts = self.counts.entry(key.to_owned()).or_default();
        let first = instance.restarts.get(&at).copied().unwrap_or(shown.start);
        let count = counts
            .get(&at)
            .map_or(first, |count| count.saturating_add(1));
        counts.insert(at, count);
        counts.retain(|level, _| *level <= at);
        if shown.format == "bullet" {
            return Some("•".to_owned());
        }
        let text = filled(&shown.text, levels, counts);
        (!text.trim().is_empty()).then(|| text.trim().to_owned())
    }
}

fn levels(list: &Element) -> BTreeMap<usize, Level> {
    let levels = list.elements().filter(|one| one.is(Ns::Word, "lvl"));
    let levels = levels.filter_map(|one| {
        let at = one.attribute(Ns::Word, "ilvl")?.parse().ok()?;
        let level = Level {
            start: one
                .value("start")
                .and_then(|start| start.parse().ok())
                .unwrap_or(1),
            format: one.value("numFmt").unwrap_or("decimal").to_owned(),
            text: one.value("lvlText").unwrap_or_default().to_owned(),
            style: one.value("pStyle").map(str::to_owned),
        };
        Some((at, level))
    });
    levels.collect()
}

fn instance(element: &Element) -> Instance {
    let overrides = element
        .elements()
        .filter(|one| one.is(Ns::Word, "lvlOverride"));
    let restarts = overrides.filter_map(|one| {
        let at = one.attribute(Ns::Word, "ilvl")?.parse().ok()?;
        Some((at, one.value("startOverride")?.parse().ok()?))
    });
    Instance {
        list: element
            .value("abstractNumId")
            .unwrap_or_default()
            .to_owned(),
        restarts: restarts.collect(),
    }
}

/// Fills `%1.%2` with the counts of the levels.
fn filled(text: &str, levels: &BTreeMap<usize, Level>, counts: &BTreeMap<usize, u32>) -> String {
    let mut parts = text.split('%');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut characters = part.chars();
        let level = characters.next().and_then(|digit| digit.to_digit(10));
        let level = level.and_then(|level| usize::try_from(level).ok()?.checked_sub(1));
        let shown = level.and_then(|at| {
            let level = levels.get(&at)?;
            let count = counts.get(&at).copied().unwrap_or(level.start);
            Some(written(count, &level.format))
        });
        filled.push_str(&shown.unwrap_or_default());
        filled.push_str(characters.as_str());
    }
    filled
}

fn written(count: u32, format: &str) -> String {
    match format {
        "none" => String::new(),
        "lowerLetter" => letters(count).to_lowercase(),
        "upperLetter" => letters(count),
        "lowerRoman" => roman(count).to_lowercase(),
        "upperRoman" => roman(count),
        "decimalZero" => format!("{count:02}"),
        _ => count.to_string(),
    }
}

/// A to Z, then AA, BB, as Word counts.
fn letters(count: u32) -> String {
    const ALPHABET: u32 = 26;
    const REPEAT_MAX: u32 = 30;
    let index = count.saturating_sub(1);
    let letter = u8::try_from(index % ALPHABET).map_or('A', |index| char::from(b'A' + index));
    let times = (index / ALPHABET + 1).min(REPEAT_MAX);
    (0..times).map(|_| letter).collect()
}

fn roman(count: u32) -> String {
    const SIGNS: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    const ROMAN_MAX: u32 = 3999;
    if count > ROMAN_MAX {
        return count.to_string();
    }
    let mut rest = count;
    let mut text = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            text.push_str(sign);
            rest -= value;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::docx::xml::parse;

    fn numbering(levels: &str, nums: &str) -> Numbering {
        let ns = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
        let xml = format!(
            "<w:numbering xmlns:w='{ns}'><w:abstractNum w:abstractNumId='7'>{levels}</w:abstractNum>{nums}</w:numbering>"
        );
        Numbering::read(&parse(xml.as_bytes(), "numbering", &Limits::default()).unwrap())
    }

    fn level(at: usize, format: &str, text: &str) -> String {
        format!(
            "<w:lvl w:ilvl='{at}'><w:start w:val='1'/><w:numFmt w:val='{format}'/><w:lvlText w:val='{text}'/></w:lvl>"
        )
    }

    const ONE: &str = "<w:num w:numId='1'><w:abstractNumId w:val='7'/></w:num>";

    #[test]
    fn section_7_1_levels_count_within_one_another() {
        let levels = level(0, "decimal", "%1.") + &level(1, "lowerLetter", "%1.%2)");
        let mut lists = numbering(&levels, ONE);
        let mut next = |at| lists.next("1", Some(at), "").unwrap();
        let seen = [next(0), next(1), next(1), next(0), next(1)];
        assert_eq!(seen, ["1.", "1.a)", "1.b)", "2.", "2.a)"]);
    }

    #[test]
    fn section_7_1_a_list_that_starts_anew_counts_by_itself() {
        let again = "<w:num w:numId='2'><w:abstractNumId w:val='7'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='5'/></w:lvlOverride></w:num>";
        let mut lists = numbering(&level(0, "upperRoman", "(%1)"), &format!("{ONE}{again}"));
        let mut next = |number| lists.next(number, None, "").unwrap();
        assert_eq!(
            [next("1"), next("2"), next("2"), next("1")],
            ["(I)", "(V)", "(VI)", "(II)"]
        );
    }

    #[test]
    fn section_7_1_bullets_and_unknown_lists() {
        let mut lists = numbering(&level(0, "bullet", "\u{f0b7}"), ONE);
        assert_eq!(lists.next("1", None, "").as_deref(), Some("•"));
        assert_eq!(lists.next("0", None, ""), None);
        assert_eq!(
            (letters(28).as_str(), roman(1994).as_str()),
            ("BB", "MCMXCIV")
        );
    }
}
