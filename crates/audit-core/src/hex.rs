//! Lower-case hexadecimal, and the byte-array newtypes that are written in it.

use thiserror::Error;

/// A text that is not the value it was read as.
///
/// It never repeats the text: what was refused may be a secret or a mistake with a name in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not {what}: expected {expected}")]
pub struct ParseError {
    what: &'static str,
    expected: &'static str,
}

impl ParseError {
    pub(crate) const fn new(what: &'static str, expected: &'static str) -> Self {
        Self { what, expected }
    }
}

/// Writes `bytes` as lower-case hexadecimal at the end of `out`.
pub(crate) fn push(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 0x0f));
    }
}

/// Writes `bytes` as lower-case hexadecimal.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    push(&mut out, bytes);
    out
}

/// Reads exactly `2 * N` lower-case digits.
pub(crate) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != N.checked_mul(2)? {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(bytes)
}

const fn digit(nibble: u8) -> char {
    if nibble < 10 {
        (b'0' + nibble) as char
    } else {
        (b'a' + nibble - 10) as char
    }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// A fixed number of bytes, written as lower-case hexadecimal.
macro_rules! hex_newtype {
    ($(#[$attribute:meta])* $name:ident, $len:literal, $what:literal, $expected:literal) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Takes the bytes as they are.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Reads the hexadecimal form that `Display` writes, lower case only.
            ///
            /// # Errors
            /// [`ParseError`](crate::ParseError) when the length is another or a character is no such digit.
            pub fn parse(text: &str) -> Result<Self, $crate::ParseError> {
                $crate::hex::decode(text.as_bytes())
                    .map(Self)
                    .ok_or($crate::ParseError::new($what, $expected))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::hex::encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
    };
}
pub(crate) use hex_newtype;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips() {
        assert_eq!(encode(&[0x00, 0x9a, 0xff]), "009aff");
        assert_eq!(decode::<3>(b"009aff"), Some([0x00, 0x9a, 0xff]));
    }

    #[test]
    fn hex_refuses_upper_case_other_digits_and_other_lengths() {
        for text in [
            "009AFF", "009afg", "009af", "009aff0", "", "009aff00", "é9aff",
        ] {
            assert_eq!(decode::<3>(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn parse_errors_do_not_repeat_the_text() {
        let error = crate::StreamKey::parse("Mrs Canary").unwrap_err();
        assert_eq!(
            error.to_string(),
            "not a stream key: expected 32 lower-case hexadecimal digits"
        );
    }
}
