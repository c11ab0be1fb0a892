//! Starts the official MESH sandbox as a process, over mutual TLS.
//!
//! The script prints `NAME=value` lines and then `READY`; it needs bash, openssl and python3.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Error, Result};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mesh_client::{TlsIdentity, TrustAnchors};

/// A running sandbox; dropping it stops it.
#[derive(Debug)]
pub struct Sandbox {
    child: Child,
    values: BTreeMap<String, String>,
}

const NEEDED: [&str; 4] = ["bash", "openssl", "flock", "python3"];

/// Why the sandbox cannot run here, if it cannot: a program that is missing.
pub fn missing_program() -> Option<&'static str> {
    NEEDED.into_iter().find(|program| {
        let found = Command::new(program)
            .arg(if *program == "openssl" {
                "version"
            } else {
                "--version"
            })
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        !found.is_ok_and(|status| status.success())
    })
}

/// The folder where the sandbox keeps its Python packages between runs: `mesh-sandbox` in
/// `LETTERBOX_CACHE` or in `~/.cache/letterbox`.
pub fn cache_folder() -> Option<PathBuf> {
    let cache = match std::env::var_os("LETTERBOX_CACHE") {
        Some(cache) => PathBuf::from(cache),
        None => std::env::home_dir()?.join(".cache").join("letterbox"),
    };
    Some(cache.join("mesh-sandbox"))
}

impl Sandbox {
    /// Starts the script on a free port and waits until it is ready. The first start installs
    /// packages, which takes half a minute.
    ///
    /// # Errors
    ///
    /// When the script cannot be started or ends before it is ready.
    pub fn start(script: &Path, cache: &Path) -> Result<Self> {
        let port = free_port()?;
        let child = Command::new("bash")
            .arg(script)
            .arg(port.to_string())
            .env("MESH_PEER_CACHE", cache)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut sandbox = Self {
            child,
            values: BTreeMap::new(),
        };
        let lines = sandbox
            .child
            .stdout
            .take()
            .map(|stdout| BufReader::new(stdout).lines());
        for line in lines.into_iter().flatten() {
            let line = line?;
            if line == "READY" {
                return Ok(sandbox);
            }
            if let Some((name, value)) = line.split_once('=') {
                sandbox.values.insert(name.to_owned(), value.to_owned());
            }
        }
        Err(Error::other("the sandbox ended before it was ready"))
    }

    /// A value that the script printed, for instance `MESH_URL`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The client certificate that it accepts.
    ///
    /// # Errors
    ///
    /// When the files cannot be read.
    pub fn identity(&self) -> Result<TlsIdentity> {
        self.pair("MESH_CLIENT_CERT", "MESH_CLIENT_KEY")
    }

    /// A client certificate that it refuses.
    ///
    /// # Errors
    ///
    /// When the files cannot be read.
    pub fn stranger(&self) -> Result<TlsIdentity> {
        self.pair("MESH_STRANGER_CERT", "MESH_STRANGER_KEY")
    }

    /// What its own certificate leads to.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn trust(&self) -> Result<TrustAnchors> {
        TrustAnchors::from_pem(&self.file("MESH_CA")?).map_err(Error::other)
    }

    fn pair(&self, certificate: &str, key: &str) -> Result<TlsIdentity> {
        TlsIdentity::from_pem(&self.file(certificate)?, &self.file(key)?).map_err(Error::other)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>> {
        let path = self
            .value(name)
            .ok_or_else(|| Error::other(format!("no {name} was told")))?;
        std::fs::read(path)
    }
}

/// SIGTERM, so that the script stops the server and removes its folder.
impl Drop for Sandbox {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
