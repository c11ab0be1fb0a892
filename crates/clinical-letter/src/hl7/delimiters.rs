/// The delimiters of an HL7 v2 message, from its MSH-1 and MSH-2 (source-documents section 3).
///
/// ```
/// use clinical_letter::Delimiters;
///
/// let delimiters = Delimiters::of_message(b"MSH|^~\\&|EPR|RXX")?;
/// assert_eq!(delimiters, Delimiters::default());
/// # Ok::<(), clinical_letter::DelimitersError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delimiters {
    /// Between fields, `|`.
    pub field: u8,
    /// Between components, `^`.
    pub component: u8,
    /// Between repetitions, `~`.
    pub repetition: u8,
    /// Around escape sequences, `\`.
    pub escape: u8,
    /// Between subcomponents, `&`.
    pub subcomponent: u8,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self {
            field: b'|',
            component: b'^',
            repetition: b'~',
            escape: b'\\',
            subcomponent: b'&',
        }
    }
}

/// Why a message's delimiters cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DelimitersError {
    /// The bytes do not begin with `MSH`.
    #[error("a message begins with MSH")]
    NoHeader,
    /// MSH-2 holds fewer than four characters.
    #[error("MSH-2 holds four delimiters: component, repetition, escape, subcomponent")]
    TooFew,
    /// A letter, a digit, a blank or a control character, or one that stands twice.
    #[error("delimiters are five different ASCII signs")]
    NotFiveSigns,
}

impl Delimiters {
    /// Reads the delimiters from the first bytes of a message. A fifth character in MSH-2, the
    /// truncation character of v2.7, is ignored.
    ///
    /// # Errors
    ///
    /// [`DelimitersError`], by what is wrong with the header.
    pub fn of_message(bytes: &[u8]) -> Result<Self, DelimitersError> {
        let rest = bytes
            .strip_prefix(b"MSH")
            .ok_or(DelimitersError::NoHeader)?;
        let [field, rest @ ..] = rest else {
            return Err(DelimitersError::TooFew);
        };
        let encoding = rest
            .split(|byte| byte == field || *byte == b'\r' || *byte == b'\n')
            .next();
        let [component, repetition, escape, subcomponent, ..] = encoding.unwrap_or_default() else {
            return Err(DelimitersError::TooFew);
        };
        let five = [*field, *component, *repetition, *escape, *subcomponent];
        let signs = five.iter().all(u8::is_ascii_punctuation);
        let differ = five
            .iter()
            .enumerate()
            .all(|(at, one)| !five.iter().skip(at + 1).any(|two| one == two));
        let delimiters = Self {
            field: *field,
            component: *component,
            repetition: *repetition,
            escape: *escape,
            subcomponent: *subcomponent,
        };
        (signs && differ)
            .then_some(delimiters)
            .ok_or(DelimitersError::NotFiveSigns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_3_the_order_is_component_repetition_escape_subcomponent() {
        let read = Delimiters::of_message(b"MSH#*!/%#EPR").unwrap();
        let order = [
            read.field,
            read.component,
            read.repetition,
            read.escape,
            read.subcomponent,
        ];
        assert_eq!(&order, b"#*!/%");
        assert!(Delimiters::of_message(b"MSH|^~\\&#|EPR").is_ok());
    }

    #[test]
    fn section_3_delimiters_that_cannot_be_used() {
        use DelimitersError as E;
        let read = Delimiters::of_message;
        assert_eq!(read(b"PID|1"), Err(E::NoHeader));
        for short in [&b"MSH"[..], b"MSH|", b"MSH|^~\\|", b"MSH|^~\\\r"] {
            assert_eq!(read(short), Err(E::TooFew));
        }
        for wrong in [&b"MSH|^^\\&|"[..], b"MSH|^~\\A|", b"MSH |^~\\&"] {
            assert_eq!(read(wrong), Err(E::NotFiveSigns));
        }
    }
}
