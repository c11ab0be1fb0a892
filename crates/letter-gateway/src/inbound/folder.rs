//! The content, and then the JSON that says what it is.

use std::path::Path;

use super::body::InboundBody;
use crate::feed::{NotTaken, write_whole};

/// Told again, a message replaces itself.
pub(super) async fn put(
    folder: &Path,
    body: &InboundBody,
    content: Vec<u8>,
) -> Result<(), NotTaken> {
    let beside = serde_json::to_vec(body).map_err(|error| NotTaken::Ever(error.to_string()))?;
    let name = name_of(body);
    write_whole(folder, format!("{name}.message"), content).await?;
    write_whole(folder, format!("{name}.json"), beside).await
}

/// The message's id where that can be a file's name on any system, else our own.
fn name_of(body: &InboundBody) -> &str {
    let id = &body.message_id;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=100).contains(&id.len()) && id.chars().all(is_plain) {
        id
    } else {
        &body.inbound
    }
}
