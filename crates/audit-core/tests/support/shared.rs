//! Published test vectors beside the project, which a user's clone does not have.

use std::path::Path;

/// The text of a file in the `shared` folder beside the workspace; `None`, said aloud, without it.
pub(crate) fn read(name: &str) -> Option<String> {
    let bytes = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("../shared").join(name))
        .find_map(|path| std::fs::read_to_string(path).ok());
    if bytes.is_none() {
        println!("skipped: {name} (not present)");
    }
    bytes
}
