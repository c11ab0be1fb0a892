use kettering_xml::{Encoding, PayloadKind, Profile};
use nhs_types::Severity;

/// Which HTML a receiver survives (kettering-xml facts 12; source-documents facts 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HtmlSubset {
    /// Lines of a paragraph are separated by breaks; columns made of spaces stand in `pre`.
    #[default]
    Standard,
    /// For a system that strips tags and overlaps long paragraphs: every line is a paragraph of
    /// its own, and columns are kept with no-break spaces in place of `pre`.
    SystmOne,
}

/// What one kind of GP system takes.
///
/// ```
/// use letter_shape::{HtmlSubset, ReceiverProfile};
/// let profile = ReceiverProfile::builtin("systmone").unwrap();
/// assert_eq!(profile.html, HtmlSubset::SystmOne);
/// assert!(ReceiverProfile::builtin("vision").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiverProfile {
    /// The name a configuration uses.
    pub name: String,
    /// Dialect, encoding, payload kinds and sizes.
    pub kettering: Profile,
    /// Which HTML it survives.
    pub html: HtmlSubset,
    /// Largest message in bytes.
    pub artefact_max_bytes: usize,
}

/// National guidance for a whole message is 5 MB; a PDF of 3.5 MB in base64 needs a little less.
const ARTEFACT_MAX: usize = 5_000_000;

impl ReceiverProfile {
    /// The names of the built-in profiles.
    pub const BUILTIN: [&'static str; 4] = ["emis", "systmone", "medicus", "docman-edt"];

    /// A profile under a name of its own: EDT, UTF-8, HTML or PDF.
    pub fn new(name: &str) -> Self {
        let mut kettering = Profile::default();
        kettering.payload_kinds = vec![PayloadKind::Html, PayloadKind::Pdf];
        kettering.unsafe_html = Severity::Warning;
        Self {
            name: name.to_owned(),
            kettering,
            html: HtmlSubset::Standard,
            artefact_max_bytes: ARTEFACT_MAX,
        }
    }

    /// A built-in profile by its name.
    pub fn builtin(name: &str) -> Option<Self> {
        let mut profile = Self::new(name);
        let kinds = &mut profile.kettering.payload_kinds;
        match name {
            "medicus" => {}
            "emis" => kinds.extend([PayloadKind::Doc, PayloadKind::Docx]),
            "systmone" => {
                profile.html = HtmlSubset::SystmOne;
                profile.kettering.unsafe_html = Severity::Error;
            }
            "docman-edt" => {
                kinds.extend([PayloadKind::Text, PayloadKind::Rtf, PayloadKind::Tiff]);
                kinds.extend([PayloadKind::Doc, PayloadKind::Docx]);
                profile.kettering.encoding = Encoding::Latin1;
                profile.kettering.doctype = true;
            }
            _ => return None,
        }
        Some(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_profile_is_there_under_its_name() {
        for name in ReceiverProfile::BUILTIN {
            let profile = ReceiverProfile::builtin(name).unwrap();
            assert_eq!(profile.name, name);
            assert!(profile.kettering.payload_kinds.contains(&PayloadKind::Html));
        }
        assert!(ReceiverProfile::builtin("EMIS").is_none());
    }

    #[test]
    fn k_p03_only_systmone_and_medicus_refuse_word() {
        let takes = |name| {
            let profile = ReceiverProfile::builtin(name).unwrap();
            profile.kettering.payload_kinds.contains(&PayloadKind::Docx)
        };
        assert_eq!(
            ReceiverProfile::BUILTIN.map(takes),
            [true, false, false, true]
        );
    }
}
