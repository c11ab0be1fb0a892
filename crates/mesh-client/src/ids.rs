use std::fmt;
use std::str::FromStr;

/// The id that the service gave a message: opaque, 1 to 100 visible ASCII characters.
///
/// The real service's look like `20200601122152994285_D59900`, the official sandbox's like a
/// UUID without hyphens (mesh-api section 3); nothing may be read into either.
///
/// ```
/// use mesh_client::MessageId;
/// let id = MessageId::parse("20200601122152994285_D59900").unwrap();
/// assert_eq!(id.as_str(), "20200601122152994285_D59900");
/// assert!(MessageId::parse("").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

/// The sender's own reference for a message (`Mex-LocalID`): 1 to 255 visible ASCII characters.
///
/// It is the only key under which the service can be asked about a send whose answer was lost
/// (mesh-api section 18), and must hold nothing about a patient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalId(String);

/// Why a text is not a message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message id has 1 to {} visible ASCII characters", MESSAGE_ID_MAX)]
pub struct ParseMessageIdError;

/// Why a text is not a local id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a local id has 1 to {} visible ASCII characters without spaces",
    LOCAL_ID_MAX
)]
pub struct ParseLocalIdError;

const MESSAGE_ID_MAX: usize = 100;
const LOCAL_ID_MAX: usize = 255;

fn is_visible(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

macro_rules! text_id {
    ($type:ident, $error:ident, $max:ident) => {
        impl $type {
            /// Reads an id as it stands, with case.
            ///
            /// # Errors
            ///
            /// When length or characters are wrong.
            pub fn parse(text: &str) -> Result<Self, $error> {
                if is_visible(text, $max) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err($error)
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(MessageId, ParseMessageIdError, MESSAGE_ID_MAX);
text_id!(LocalId, ParseLocalIdError, LOCAL_ID_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_id_at_its_limits() {
        assert!(MessageId::parse("").is_err());
        assert!(MessageId::parse(&"7".repeat(MESSAGE_ID_MAX)).is_ok());
        assert!(MessageId::parse(&"7".repeat(MESSAGE_ID_MAX + 1)).is_err());
        assert!(MessageId::parse("a b").is_err());
        assert!(MessageId::parse("a\r\nb").is_err());
    }

    #[test]
    fn local_id_at_its_limits() {
        assert!(LocalId::parse("").is_err());
        assert!(LocalId::parse(&"L".repeat(LOCAL_ID_MAX)).is_ok());
        assert!(LocalId::parse(&"L".repeat(LOCAL_ID_MAX + 1)).is_err());
        assert!(LocalId::parse("L 1").is_err());
        assert!(LocalId::parse("Lé").is_err());
    }

    #[test]
    fn case_is_kept() {
        assert_eq!("aB_1".parse::<MessageId>().unwrap().to_string(), "aB_1");
        assert_eq!("aB_1".parse::<LocalId>().unwrap().to_string(), "aB_1");
    }
}
