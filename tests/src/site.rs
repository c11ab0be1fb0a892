use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use gp_routing::SAMPLE_TABLE;
use tempfile::TempDir;

use crate::program::{Outcome, Running, letterbox};
use crate::{Ledger, Letter, Mesh};

/// What a trust sets up.
#[derive(Clone, Debug)]
pub struct TrustPlan {
    /// ODS code.
    pub code: String,
    /// Mailbox.
    pub mailbox: String,
    /// The mailbox' password.
    pub password: String,
    /// Where it listens for HL7 messages.
    pub listen: Option<SocketAddr>,
    /// How long a document without a sidecar must be still.
    pub still_for_seconds: u32,
    /// What stands in `[trust.delivery]`, beside timers that do not wait.
    pub delivery: String,
}

impl TrustPlan {
    /// The first trust of the sample mailboxes.
    pub fn first() -> Self {
        Self::new("RT9", "RT9OT001", "trust:pass word&1")
    }

    /// A trust with timers that do not wait.
    pub fn new(code: &str, mailbox: &str, password: &str) -> Self {
        Self {
            code: code.to_owned(),
            mailbox: mailbox.to_owned(),
            password: password.to_owned(),
            listen: None,
            still_for_seconds: 0,
            delivery: String::new(),
        }
    }

    fn home(&self) -> String {
        self.code.to_ascii_lowercase()
    }

    fn section(&self) -> String {
        let Self {
            code,
            mailbox,
            still_for_seconds,
            delivery,
            ..
        } = self;
        let home = self.home();
        let mut text = format!(
            r#"
[[trust]]
code = "{code}"
name = "Trust {code} NHS Foundation Trust"
key_file = "secrets/{home}.key"
mailbox = "{mailbox}"
password_file = "secrets/{home}.password"

[[trust.folder]]
source = "epr"
inbox = "{home}/in"
taken = "{home}/taken"
refused = "{home}/refused"
still_for_seconds = {still_for_seconds}
"#
        );
        if let Some(listen) = self.listen {
            write!(
                text,
                "\n[[trust.mllp]]\nsource = \"epr-hl7\"\nlisten = \"{listen}\"\n"
            )
            .unwrap();
        }
        write!(
            text,
            r#"
[trust.routing]
demographics = "source"
allow_synthetic = true
workflows = [{{ workflow = "TOC_OUTP_ATT_DMS", format = "emis" }}]

[trust.delivery]
ask_after_seconds = 0
ask_again_seconds = 0
backoff_base_seconds = 1
{delivery}
"#
        )
        .unwrap();
        text
    }
}

/// What a site is built from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The trusts.
    pub trusts: Vec<TrustPlan>,
    /// The practice table; nothing leaves it out.
    pub practices: Option<String>,
    /// Where the site's folder is made; nothing stands for the system's folder for such things.
    pub within: Option<PathBuf>,
    /// The database that letters are in; nothing stands for files of the site.
    pub store: Option<String>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            trusts: vec![TrustPlan::first()],
            practices: Some(SAMPLE_TABLE.to_owned()),
            within: None,
            store: None,
        }
    }
}

/// A folder with everything a trust sets up; it goes when the value goes.
#[derive(Debug)]
pub struct Site {
    folder: Place,
    trusts: Vec<TrustPlan>,
    store: Option<String>,
}

#[derive(Debug)]
enum Place {
    Own(TempDir),
    Found(PathBuf),
}

impl Site {
    /// One trust with the sample practices.
    pub fn new(mesh: &Mesh) -> Self {
        Self::planned(mesh, Plan::default())
    }

    /// A site as planned; the practice table is imported by the program itself.
    pub fn planned(mesh: &Mesh, plan: Plan) -> Self {
        let prefix = "letterbox-site-";
        let folder = match &plan.within {
            Some(within) => TempDir::with_prefix_in(prefix, within),
            None => TempDir::with_prefix(prefix),
        };
        let site = Self {
            folder: Place::Own(folder.unwrap()),
            store: plan.store,
            trusts: plan.trusts,
        };
        site.write_mesh(mesh);
        for (trust, n) in site.trusts.iter().zip(1_u8..) {
            for part in ["in", "taken", "refused"] {
                fs::create_dir_all(site.path(&trust.home()).join(part)).unwrap();
            }
            site.write_secret(
                &format!("secrets/{}.key", trust.home()),
                &format!("{n:02x}").repeat(32),
            );
            site.write_secret(
                &format!("secrets/{}.password", trust.home()),
                &trust.password,
            );
        }
        if let Some(practices) = plan.practices {
            site.write("practices.csv", practices);
            let imported = site.letterbox(&["ods", "import", "practices.csv"]);
            assert_eq!(imported.code, Some(0), "{imported:#?}");
        }
        site
    }

    /// A copy of this site that stands elsewhere already, and is somebody else's to take away.
    pub fn copied_to(&self, folder: PathBuf) -> Self {
        Self {
            folder: Place::Found(folder),
            trusts: self.trusts.clone(),
            store: self.store.clone(),
        }
    }

    fn write_mesh(&self, mesh: &Mesh) {
        let mut text = format!(
            r#"data = "data"

[mesh]
url = "{}"
ca = "tls/ca.pem"
certificate = "tls/client.pem"
key = "tls/client.key"
shared_key_file = "secrets/shared-key"
connect_timeout_seconds = 2
read_timeout_seconds = 5

[practices]
minimum_rows = 5
"#,
            mesh.url
        );
        if let Some(store) = &self.store {
            text = format!("store = \"{store}\"\n{text}");
        }
        for trust in &self.trusts {
            text.push_str(&trust.section());
        }
        self.write("letterbox.toml", text);
        self.write("tls/ca.pem", &mesh.ca);
        self.write("tls/client.pem", &mesh.client);
        self.write_secret("tls/client.key", &mesh.client_key);
        self.write_secret("secrets/shared-key", &mesh.shared_key);
    }

    /// Points the site to another MESH: address, certificates and shared key.
    pub fn use_mesh(&self, mesh: &Mesh) {
        self.write_mesh(mesh);
    }

    /// A path in the site's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The site's folder.
    pub fn folder(&self) -> &Path {
        match &self.folder {
            Place::Own(folder) => folder.path(),
            Place::Found(folder) => folder,
        }
    }

    /// Writes a file, and the folder above it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes a file that only this account may read.
    pub fn write_secret(&self, name: &str, content: &str) {
        self.write(name, content);
        self.set_mode(name, 0o600);
    }

    /// Sets the permissions of a file, where there are permissions.
    pub fn set_mode(&self, name: &str, mode: u32) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        #[cfg(not(unix))]
        let _ = (name, mode);
    }

    /// Replaces a piece of the configuration, which must be there.
    pub fn change_config(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("letterbox.toml")).unwrap();
        assert!(text.contains(from), "{from} is not in the configuration");
        self.write("letterbox.toml", text.replacen(from, to, 1));
    }

    /// A folder of a trust: `in`, `taken` or `refused`.
    pub fn folder_of(&self, code: &str, part: &str) -> PathBuf {
        self.path(&code.to_ascii_lowercase()).join(part)
    }

    /// A folder of the first trust.
    pub fn part(&self, part: &str) -> PathBuf {
        self.folder_of(&self.trusts[0].code, part)
    }

    /// Puts a letter into the first trust's folder, whole under its final name.
    pub fn hand_over(&self, letter: &Letter) {
        self.put(&letter.file_name(), letter.to_text());
    }

    /// Puts a file into the first trust's folder, whole under its final name.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let beside = self.part("in").join(format!("{name}.tmp"));
        fs::write(&beside, content).unwrap();
        fs::rename(beside, self.part("in").join(name)).unwrap();
    }

    /// Names of the files in a folder of the first trust.
    pub fn names(&self, part: &str) -> Vec<String> {
        let entries = fs::read_dir(self.part(part)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs the program to its end.
    pub fn letterbox(&self, arguments: &[&str]) -> Outcome {
        self.start(arguments).wait()
    }

    /// One `run --once`.
    pub fn run_once(&self) -> Outcome {
        self.letterbox(&["run", "--once"])
    }

    /// Starts the program.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    /// The program with arguments, not yet started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        letterbox(self.folder(), arguments)
    }

    /// What the first trust's store says.
    pub fn ledger(&self) -> Ledger {
        self.ledger_of(&self.trusts[0].code)
    }

    /// What a trust's store says.
    pub fn ledger_of(&self, code: &str) -> Ledger {
        let home = code.to_ascii_lowercase();
        Ledger::open(
            &self.path(&format!("data/{home}.db")),
            &self.path(&format!("secrets/{home}.key")),
        )
    }
}
