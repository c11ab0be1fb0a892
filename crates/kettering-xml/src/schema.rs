use nhs_types::Severity;

use crate::Element;
use crate::read::shown;
use crate::rule::{Findings, S02, S03, S04, S05, V08, V09};

/// How much an element is needed (facts, section 3, column Req).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// May be absent, or another rule than `K-S02` speaks of it.
    Optional,
    /// Required by the DTD only: its absence is told when the DTD is named.
    Dtd,
    /// Required by the receiving application.
    Required,
    /// Without it a letter cannot be filed at all: an error in lenient reading too.
    Vital,
}

/// What the format says about an element. The tables stand beside the blocks they describe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    name: &'static str,
    need: Need,
    repeats: bool,
    chars_max: Option<usize>,
    values: &'static [&'static str],
    attributes: &'static [AttributeSpec],
    children: &'static [Self],
}

/// An attribute and its known values; none listed means any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributeSpec {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    pub(crate) values: &'static [&'static str],
}

impl Spec {
    pub(crate) const fn optional(name: &'static str) -> Self {
        Self {
            name,
            need: Need::Optional,
            repeats: false,
            chars_max: None,
            values: &[],
            attributes: &[],
            children: &[],
        }
    }

    pub(crate) const fn required(name: &'static str) -> Self {
        Self::optional(name).needed(Need::Required)
    }

    pub(crate) const fn vital(name: &'static str) -> Self {
        Self::optional(name).needed(Need::Vital)
    }

    pub(crate) const fn needed(self, need: Need) -> Self {
        Self { need, ..self }
    }

    pub(crate) const fn repeating(self) -> Self {
        Self {
            repeats: true,
            ..self
        }
    }

    pub(crate) const fn at_most(self, chars: usize) -> Self {
        Self {
            chars_max: Some(chars),
            ..self
        }
    }

    pub(crate) const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }

    pub(crate) const fn with(self, attributes: &'static [AttributeSpec]) -> Self {
        Self { attributes, ..self }
    }

    pub(crate) const fn of(self, children: &'static [Self]) -> Self {
        Self { children, ..self }
    }

    /// Checks structure, lengths and closed lists of an element and all below it.
    pub(crate) fn check(&self, element: &Element, place: &str, findings: &mut Findings<'_>) {
        self.check_attributes(element, place, findings);
        self.check_children(element, place, findings);
        if self.children.is_empty() {
            self.check_text(element.text(), place, findings);
        }
        for child in element.children() {
            let spec = self.children.iter().find(|spec| spec.name == child.name());
            if let Some(spec) = spec {
                spec.check(child, &below(place, spec.name), findings);
            }
        }
    }

    fn check_attributes(&self, element: &Element, place: &str, findings: &mut Findings<'_>) {
        for (name, value) in element.attributes() {
            let Some(spec) = self.attributes.iter().find(|spec| spec.name == name) else {
                let message = format!("the format has no attribute {} here", shown(name));
                findings.add(S05, place, message);
                continue;
            };
            if !spec.values.is_empty() && !spec.values.contains(&value.trim()) {
                let message = format!("{}: expected {}", spec.name, spec.values.join(" or "));
                findings.add(V09, place, message);
            }
        }
        for spec in self.attributes {
            if element.attribute(spec.name).is_none() {
                let message = format!("attribute {} is missing", spec.name);
                report_missing(spec.need, place, message, findings);
            }
        }
    }

    fn check_children(&self, element: &Element, place: &str, findings: &mut Findings<'_>) {
        let mut last = 0;
        for child in element.children() {
            let at = self.children.iter().position(|s| s.name == child.name());
            let Some(at) = at else {
                let message = format!("the format has no element {} here", shown(child.name()));
                findings.add(S05, place, message);
                continue;
            };
            if at < last {
                let message = format!("{} stands too late", shown(child.name()));
                findings.add(S04, place, message);
            }
            last = last.max(at);
        }
        for spec in self.children {
            spec.check_count(element, place, findings);
        }
    }

    fn check_count(&self, parent: &Element, place: &str, findings: &mut Findings<'_>) {
        let mut same = parent.children().iter().filter(|c| c.name() == self.name);
        let Some(first) = same.next() else {
            let message = format!("{} is missing", self.name);
            return report_missing(self.need, &below(place, self.name), message, findings);
        };
        if self.children.is_empty() && first.text().is_empty() {
            let message = format!("{} is empty", self.name);
            report_missing(self.need, &below(place, self.name), message, findings);
        }
        let further = same.count();
        if further > 0 && !self.repeats {
            let message = format!("{} times in place of once", further + 1);
            findings.add(S03, &below(place, self.name), message);
        }
    }

    fn check_text(&self, text: &str, place: &str, findings: &mut Findings<'_>) {
        let chars = text.chars().count();
        if let Some(most) = self.chars_max.filter(|most| chars > *most) {
            findings.add(V08, place, format!("{chars} characters, at most {most}"));
        }
        if !text.is_empty() && !self.values.is_empty() && !self.values.contains(&text) {
            let message = format!("expected {}", self.values.join(" or "));
            findings.add(V09, place, message);
        }
    }
}

pub(crate) fn below(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}/{name}")
    }
}

/// Reports what is absent by how much it is needed.
pub(crate) fn report_missing(
    need: Need,
    place: &str,
    message: String,
    findings: &mut Findings<'_>,
) {
    match need {
        Need::Optional => {}
        Need::Dtd => {
            if findings.purpose.profile().is_some_and(|p| p.doctype) {
                findings.add_as(S02, Severity::Warning, place, message);
            }
        }
        Need::Required => findings.add(S02, place, message),
        Need::Vital => findings.add_as(S02, Severity::Error, place, message),
    }
}
