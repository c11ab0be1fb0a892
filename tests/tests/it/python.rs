//! A practice's system that has nothing to do with ours: the Python package `mesh-client`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use mesh_testserver::sandbox::{Sandbox, cache_folder, missing_program};

/// The same folder, lock and mark as `cargo xtask test` uses.
const VERSION: &str = "5.0.2";

/// Why a test with the sandbox cannot run here; with `CI=true` that is a failure.
pub(crate) fn skipped(name: &str) -> bool {
    let Some(program) = missing_program() else {
        return false;
    };
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!is_ci, "{name} needs {program}");
    println!("skipped: {name} ({program} is missing)");
    true
}

/// Starts the official sandbox of NHS England.
pub(crate) fn sandbox() -> Sandbox {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/mesh-sandbox/start");
    Sandbox::start(script.as_ref(), &cache_folder().unwrap()).unwrap()
}

/// The interpreter of a venv that holds the client; made on first use.
pub(crate) fn interpreter() -> PathBuf {
    let folder = cache_folder().unwrap().with_file_name("python-client");
    let venv = folder.join(format!("venv-{VERSION}"));
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (python, ready) = (venv.join("bin/python"), venv.join(".ready"));
    if !ready.exists() {
        if venv.exists() {
            fs::remove_dir_all(&venv).unwrap();
        }
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&venv)
            .status()
            .unwrap();
        assert!(made.success(), "a venv cannot be made");
        let package = format!("mesh-client=={VERSION}");
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            &package,
        ];
        assert!(
            Command::new(&python).args(pip).status().unwrap().success(),
            "no {package}"
        );
        File::create(ready).unwrap();
    }
    python
}

/// Takes everything out of a mailbox: prints a JSON line for each message, with its content in
/// hexadecimal, and acknowledges it.
const COLLECT: &str = r#"
import hashlib, json, sys
from mesh_client import MeshClient
url, mailbox, password, key, cert, cert_key, ca = sys.argv[1:]
with MeshClient(url, mailbox, password, shared_key=key.encode(), cert=(cert, cert_key), verify=ca) as client:
    client.handshake()
    for message in client.iterate_all_messages():
        body = message.read()
        print(json.dumps({
            "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body),
            "workflow_id": message.workflow_id, "sender": message.sender,
            "local_id": message.local_id, "content": body.hex(),
        }))
        message.acknowledge()
"#;

/// What the practice `YGM24GP1` of the sandbox collects and acknowledges.
pub(crate) fn collect(sandbox: &Sandbox) -> Vec<serde_json::Value> {
    let value = |name| sandbox.value(name).unwrap();
    let output = Command::new(interpreter())
        .args(["-c", COLLECT, value("MESH_URL"), "YGM24GP1", "gp-pw-1"])
        .args([value("MESH_SHARED_KEY"), value("MESH_CLIENT_CERT")])
        .args([value("MESH_CLIENT_KEY"), value("MESH_CA")])
        .env_remove("REQUESTS_CA_BUNDLE")
        .env_remove("CURL_CA_BUNDLE")
        .env_remove("SSL_CERT_FILE")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
