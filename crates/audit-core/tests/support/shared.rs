//! Published test vectors beside the project, which a user's clone does not have.

use std::path::Path;

/// The text of a file in the `shared` folder beside the workspace; `None`, said aloud, without it.
pub(crate) fn read(name: &str) -> Option<String> {
    String::from_utf8(read_bytes(name)?).ok()
}

/// The same for a file that is no text.
#[expect(clippy::disallowed_methods, reason = "published vectors are files")]
pub(crate) fn read_bytes(name: &str) -> Option<Vec<u8>> {
    let bytes = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("../shared").join(name))
        .find_map(|path| std::fs::read(path).ok());
    if bytes.is_none() {
        println!("skipped: {name} (not present)");
    }
    bytes
}
