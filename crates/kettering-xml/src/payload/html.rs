use nhs_types::Severity;

use crate::rule::{Findings, P07};

/// `K-P07`: what a receiver may strip, hide or fetch. One finding for each kind of danger.
pub(crate) fn check(html: &str, place: &str, findings: &mut Findings<'_>) {
    let lower = html.to_ascii_lowercase();
    for (danger, marks) in DANGERS {
        if tags(&lower).any(|tag| marks.iter().any(|mark| mark.is_in(tag))) {
            let severity = match findings.purpose.profile() {
                Some(profile) => profile.unsafe_html,
                None => Severity::Warning,
            };
            let message = format!("HTML with {danger}: the receiver may not show it");
            findings.add_as(P07, severity, place, message);
        }
    }
}

enum Mark {
    /// The name of an element.
    Element(&'static str),
    /// A text within a tag, white space left out.
    Within(&'static str),
}

impl Mark {
    fn is_in(&self, tag: &str) -> bool {
        match self {
            Self::Element(name) => {
                let rest = tag.strip_prefix(name);
                rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
            }
            Self::Within(text) => {
                let compact: String = tag.chars().filter(|c| !c.is_whitespace()).collect();
                compact.contains(text)
            }
        }
    }
}

const DANGERS: [(&str, &[Mark]); 4] = [
    (
        "images",
        &[
            Mark::Element("img"),
            Mark::Element("svg"),
            Mark::Element("picture"),
            Mark::Within("background="),
            Mark::Within("url("),
        ],
    ),
    (
        "scripts or embedded objects",
        &[
            Mark::Element("script"),
            Mark::Element("object"),
            Mark::Element("embed"),
            Mark::Element("applet"),
            Mark::Within("javascript:"),
        ],
    ),
    (
        "external parts",
        &[
            Mark::Element("link"),
            Mark::Element("iframe"),
            Mark::Element("frame"),
            Mark::Element("frameset"),
        ],
    ),
    (
        "hidden or positioned text",
        &[
            Mark::Within("display:none"),
            Mark::Within("visibility:hidden"),
            Mark::Within("position:absolute"),
            Mark::Within("position:fixed"),
            Mark::Element("style"),
            Mark::Element("template"),
        ],
    ),
];

/// The insides of all tags, from their names to their ends.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).filter_map(|rest| {
        let tag = rest.split('>').next()?;
        tag.starts_with(|c: char| c.is_ascii_alphabetic())
            .then_some(tag)
    })
}
