use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nhs_types::Sensitive;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Content that is kept and sent as it is, such as a PDF.
///
/// In JSON the bytes are `base64`; a `sha256` that does not fit them is refused.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    media_type: String,
    bytes: Sensitive<Vec<u8>>,
    obx_chunks: Option<usize>,
}

impl Attachment {
    /// Wraps bytes and what they are.
    pub fn new(media_type: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            media_type: media_type.into(),
            bytes: Sensitive::new(bytes),
            obx_chunks: None,
        }
    }

    /// Such as `application/pdf`, found by looking at the bytes.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The bytes.
    pub fn expose_bytes(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// SHA-256 of the bytes, in lower-case hex.
    pub fn sha256(&self) -> String {
        Sha256::digest(self.bytes.expose())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// In how many HL7 OBX segments it came.
    pub const fn obx_chunks(&self) -> Option<usize> {
        self.obx_chunks
    }

    pub(crate) const fn with_obx_chunks(mut self, chunks: usize) -> Self {
        self.obx_chunks = Some(chunks);
        self
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("media_type", &self.media_type)
            .field("bytes", &self.bytes.expose().len())
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AttachmentForm {
    media_type: String,
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    obx_chunks: Option<usize>,
    base64: String,
}

impl Serialize for Attachment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        AttachmentForm {
            media_type: self.media_type.clone(),
            sha256: self.sha256(),
            obx_chunks: self.obx_chunks,
            base64: STANDARD.encode(self.bytes.expose()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Attachment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = AttachmentForm::deserialize(deserializer)?;
        let bytes = STANDARD
            .decode(&form.base64)
            .map_err(|_| D::Error::custom("attachment: base64 cannot be decoded"))?;
        let attachment = Self {
            media_type: form.media_type,
            bytes: Sensitive::new(bytes),
            obx_chunks: form.obx_chunks,
        };
        if attachment.sha256() == form.sha256 {
            Ok(attachment)
        } else {
            Err(D::Error::custom(
                "attachment: sha256 does not fit the bytes",
            ))
        }
    }
}
