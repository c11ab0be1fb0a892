//! The MESH sandbox, started for as long as the value lives.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, process};

use crate::failure::{Failure, Outcome};
use crate::peers;
use crate::workspace::Workspace;

pub(super) struct Sandbox {
    child: Child,
    settings: BTreeMap<String, String>,
    folder: PathBuf,
}

impl Sandbox {
    /// Starts it on a free port and waits until it answers.
    pub(super) fn start(workspace: &Workspace) -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("letterbox-race-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut child = Command::new(workspace.path("tests/peers/mesh-sandbox/start"))
            .arg(port.to_string())
            .arg(&folder)
            .env("MESH_PEER_CACHE", peers::sandbox_cache(workspace))
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take();
        let mut sandbox = Self {
            child,
            settings: BTreeMap::new(),
            folder,
        };
        for line in out.map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            let line = line?;
            if line == "READY" {
                return Ok(sandbox);
            }
            if let Some((name, value)) = line.split_once('=') {
                sandbox.settings.insert(name.to_owned(), value.to_owned());
            }
        }
        Err(Failure::new("the MESH sandbox did not start"))
    }

    /// What a client needs, as the start script printed it.
    pub(super) fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// How much the sandbox keeps: a client that says "sent" is believed by what arrived.
    pub(super) fn stored_bytes(&self) -> Outcome<u64> {
        let store = self.settings.get("MESH_STORE");
        let store = store.ok_or_else(|| Failure::new("the sandbox named no MESH_STORE"))?;
        bytes_in(Path::new(store))
    }

    /// A folder that goes when the sandbox goes.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

fn bytes_in(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() {
            bytes_in(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}

impl Drop for Sandbox {
    // The script stops its server on SIGTERM; a kill would leave the server behind.
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        drop(Command::new("kill").args(["-TERM", &pid]).status());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}
