//! One JSON file for each outcome.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::{NotTaken, OutcomeBody};

/// Puts an outcome there. The same outcome has the same name: told again, it replaces itself.
pub(super) async fn put(folder: &Path, body: &OutcomeBody) -> Result<(), NotTaken> {
    let text = serde_json::to_vec(body).map_err(|error| NotTaken::Ever(error.to_string()))?;
    write_whole(folder, name_of(body), text).await
}

/// Puts a file there under its name when it is whole and on disk, and not before.
pub(crate) async fn write_whole(
    folder: &Path,
    name: String,
    bytes: Vec<u8>,
) -> Result<(), NotTaken> {
    let folder = folder.to_owned();
    let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await;
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(NotTaken::Now(error.to_string())),
        Err(_) => Err(NotTaken::Now("writing broke off".to_owned())),
    }
}

/// Sorted by name, they are in order.
fn name_of(body: &OutcomeBody) -> String {
    let copy = body.copy.map(|copy| format!("-{copy}")).unwrap_or_default();
    let (cursor, letter, outcome) = (body.cursor, &body.letter, body.outcome);
    format!("{cursor:012}-{letter}{copy}-{outcome}.json")
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = folder.join(format!(".{name}.tmp"));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, folder.join(name))?;
    // Where a folder can be opened, its new entry is made durable too.
    match File::open(folder) {
        Ok(folder) => folder.sync_all(),
        Err(_) => Ok(()),
    }
}
