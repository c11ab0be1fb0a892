//! Labels in a letter's head: `LABEL: value`, several on a line (source-documents section 2).

use std::collections::{BTreeMap, BTreeSet};

use crate::{Field, ReadOptions};

/// The labels and headings of a site, ready to be looked up.
#[derive(Debug)]
pub(crate) struct Labels {
    fields: BTreeMap<String, Field>,
    headings: BTreeSet<String>,
}

impl Labels {
    pub(crate) fn new(options: &ReadOptions) -> Self {
        let fields = options
            .labels
            .iter()
            .flat_map(|(field, labels)| labels.iter().map(|label| (normalised(label), *field)));
        Self {
            fields: fields.collect(),
            headings: options
                .headings
                .iter()
                .map(|text| normalised(text))
                .collect(),
        }
    }

    pub(crate) fn field(&self, label: &str) -> Option<Field> {
        self.fields.get(&normalised(label)).copied()
    }

    /// The pairs on a line. A pair starts at the line's start or after two or more spaces; the
    /// whole text before the colon is the label, so the longest label wins.
    pub(crate) fn pairs(&self, line: &str) -> Vec<(Field, String)> {
        self.pairs_and_rest(line).0
    }

    /// The pairs on a line, and whether they are all that stands there.
    pub(crate) fn pairs_and_rest(&self, line: &str) -> (Vec<(Field, String)>, bool) {
        let mut whole = true;
        let mut pairs: Vec<(Field, String)> = Vec::new();
        for part in columns(line) {
            let labelled = part
                .split_once(':')
                .and_then(|(label, value)| Some((self.field(label)?, value.trim().to_owned())));
            match (labelled, pairs.last_mut()) {
                (Some(pair), _) => pairs.push(pair),
                (None, Some((_, value))) if value.is_empty() => part.clone_into(value),
                _ => whole = false,
            }
        }
        (pairs, whole)
    }

    /// The heading that opens a line, and the text after its colon: a known heading in any case,
    /// or a line in capitals that ends with a colon (rule 4).
    pub(crate) fn heading<'a>(&self, line: &'a str) -> Option<(&'a str, &'a str)> {
        if line.starts_with([' ', '\t']) {
            return None;
        }
        let (heading, text) = line.split_once(':')?;
        let known = self.headings.contains(&normalised(heading));
        let capitals = text.trim().is_empty() && is_capitals(heading);
        (known || capitals).then(|| (heading.trim(), text.trim()))
    }

    pub(crate) fn is_known_heading(&self, line: &str) -> bool {
        self.headings.contains(&normalised(line))
    }
}

/// Parts of a line that two or more spaces, or a tab, set apart.
pub(crate) fn columns(line: &str) -> impl Iterator<Item = &str> {
    line.split('\t')
        .flat_map(|part| part.split("  "))
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn normalised(label: &str) -> String {
    let plain = label.to_lowercase().replace('.', "");
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").trim_end_matches([' ', '#']).to_owned()
}

fn is_capitals(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
        && text
            .chars()
            .all(|c| (c.is_alphanumeric() && !c.is_lowercase()) || " /&-()".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        Labels::new(&ReadOptions::default())
    }

    #[test]
    fn rule_3_pairs_share_a_line() {
        let line = "NHS No: 999 001 2377     UNIT #: RXX100037    STATUS: REG CLI";
        let expected = [
            (Field::NhsNumber, "999 001 2377"),
            (Field::HospitalNumber, "RXX100037"),
            (Field::Status, "REG CLI"),
        ];
        let expected = expected.map(|(field, value)| (field, value.to_owned()));
        assert_eq!(labels().pairs(line), expected);
    }

    #[test]
    fn rule_3_case_dots_and_hashes_do_not_count() {
        let labels = labels();
        for label in ["D.O.B.", "dob", "Dob", "Date of Birth"] {
            assert_eq!(labels.field(label), Some(Field::BirthDate), "{label}");
        }
        assert_eq!(labels.field("REPORT #"), Some(Field::DocumentNumber));
        assert_eq!(labels.field("Report"), Some(Field::DocumentNumber));
        assert_eq!(labels.field("Reported"), None);
    }

    #[test]
    fn rule_3_a_label_within_a_value_is_no_pair() {
        let line = "Baby girl. DOB: 17/11/26 NHS No: 999 016 0813";
        assert!(labels().pairs(line).is_empty());
        let padded = labels().pairs("NHS No:     999 001 2377");
        assert_eq!(padded, [(Field::NhsNumber, "999 001 2377".to_owned())]);
    }

    #[test]
    fn rule_4_headings() {
        let labels = labels();
        assert_eq!(labels.heading("DIAGNOSIS:"), Some(("DIAGNOSIS", "")));
        assert_eq!(labels.heading("Diagnosis: BPH"), Some(("Diagnosis", "BPH")));
        assert_eq!(
            labels.heading("BLOODS (TODAY) & X-RAY:"),
            Some(("BLOODS (TODAY) & X-RAY", ""))
        );
        for text in [
            " DIAGNOSIS:",
            "Bloods today:",
            "BLOODS: normal",
            "DIAGNOSIS",
            ":",
        ] {
            assert_eq!(labels.heading(text), None, "{text}");
        }
    }
}
