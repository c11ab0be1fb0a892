use std::fmt;

/// An element of a message as it stands in the file: nothing is lost, unknown elements included.
///
/// Text and attribute values may tell who a patient is: `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
    text: String,
}

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn leaf(name: &str, text: &str) -> Self {
        Self::new(name).holding(text)
    }

    pub(crate) fn holding(mut self, text: &str) -> Self {
        text.clone_into(&mut self.text);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(crate) fn maybe(self, child: Option<Self>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    pub(crate) fn push_child(&mut self, child: Self) {
        self.children.push(child);
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The tree with every text and attribute value changed.
    pub(crate) fn map_text(mut self, change: &mut impl FnMut(&str) -> String) -> Self {
        if self.name == crate::names::TEXT_BLOCK {
            return self;
        }
        self.text = change(&self.text);
        for (_, value) in &mut self.attributes {
            *value = change(value);
        }
        let children = std::mem::take(&mut self.children).into_iter();
        self.children = children.map(|child| child.map_text(change)).collect();
        self
    }

    /// Whether both hold the same, apart from the indent of elements that hold elements.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let text = if self.children.is_empty() {
            self.text == other.text
        } else {
            self.text() == other.text()
        };
        let children = self.children.len() == other.children.len();
        let mut pairs = self.children.iter().zip(&other.children);
        text && children
            && self.name == other.name
            && self.attributes == other.attributes
            && pairs.all(|(one, two)| one.says_the_same(two))
    }

    /// The element's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The attributes in the order of the file.
    pub fn attributes(&self) -> &[(String, String)] {
        &self.attributes
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The elements directly within, in the order of the file.
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// The text directly within, all pieces joined, without white space around it.
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// The text directly within as it stands, line ends as LF.
    pub fn raw_text(&self) -> &str {
        &self.text
    }

    /// The first element at a path such as `PatientMatchingInfo/BirthDate`.
    pub fn find(&self, path: &str) -> Option<&Self> {
        let mut here = self;
        for name in path.split('/') {
            here = here.children.iter().find(|child| child.name == name)?;
        }
        Some(here)
    }

    /// The text of the first element at a path, if it is there and not empty.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        let text = self.find(path).map(Self::text);
        text.filter(|text| !text.is_empty())
    }

    /// All elements at a path, every branch of it followed.
    pub fn find_all(&self, path: &str) -> Vec<&Self> {
        let mut here = vec![self];
        for name in path.split('/') {
            here = here
                .iter()
                .flat_map(|element| &element.children)
                .filter(|child| child.name == name)
                .collect();
        }
        here
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element")
            .field("name", &self.name)
            .field("children", &self.children)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Element {
        Element::new("a")
            .child(Element::new("b").child(Element::leaf("c", " one ")))
            .child(Element::new("b").child(Element::leaf("c", "two").with("k", "v")))
    }

    #[test]
    fn paths_lead_to_elements() {
        let tree = tree();
        assert_eq!(tree.text_at("b/c"), Some("one"));
        assert_eq!(tree.find("b/c").unwrap().raw_text(), " one ");
        assert_eq!(tree.find_all("b/c").len(), 2);
        assert_eq!(tree.find_all("b/c")[1].attribute("k"), Some("v"));
        assert!(tree.find("b/d").is_none() && tree.text_at("b").is_none());
    }

    #[test]
    fn debug_shows_names_only() {
        let shown = format!("{:?}", tree());
        assert!(shown.contains("\"c\"") && !shown.contains("one") && !shown.contains("\"v\""));
    }
}
