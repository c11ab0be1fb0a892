//! From configuration to a trust's store, mailbox and pipeline.

mod doors;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gp_routing::{PracticeTable, TableLimits};
use letter_delivery::{Engine, Store as _};
use letter_gateway::{Folder, Gateway, Mesh, Mllp, Run, SystemClock, SystemEntropy};
use letter_store::{AnyStore, MasterKey, PostgresSettings, PostgresStore, SqliteStore};
use mesh_client::{Client, Credentials, Secret, TlsIdentity, TrustAnchors};

use crate::config::{Config, StoreSection, TrustSection};
use crate::exit::Exit;
use crate::ledger::Ledger;
use crate::platform;

/// A trust, ready to work.
pub(crate) struct Opened {
    pub(crate) store: Arc<AnyStore>,
    pub(crate) gateway: Arc<Gateway<AnyStore>>,
    pub(crate) run: Run,
    pub(crate) ledger: Arc<Ledger>,
}

/// Opens a trust's pipeline.
pub(crate) async fn pipeline(config: &Config, trust: &TrustSection) -> Result<Opened, Exit> {
    let key = master_key(trust)?;
    let client = mesh_client(config, trust)?;
    let practices = practices(config)?;
    let store = Arc::new(store_for_run(config, trust, &key).await?);
    let keys = key.trust_keys(trust.code.clone());
    let entropy = Box::new(SystemEntropy::default());
    let mut policy = trust.delivery.policy();
    let stops = store.stops().await?;
    policy.restored_at = stops.open_restore().map(|stop| stop.set_at);
    // Other processes have clocks of their own, and share the timers.
    policy.alone = config.store.is_none();
    let engine = Engine::new(keys, policy, entropy);
    let mut settings = trust.settings(practices);
    let inbound = trust.inbound.iter().map(doors::inbound);
    settings.inbound = inbound.collect::<Result<_, _>>()?;
    let gateway = Gateway::new(
        settings,
        Arc::clone(&store),
        engine,
        Mesh::new(client),
        Arc::new(SystemClock),
    );
    // What a database server has left, it must say by itself: it refuses what it cannot write.
    let data = config.store.is_none().then(|| config.data.clone());
    let free = move || platform::disk_free_percent(data.as_deref()?);
    let gateway = gateway.with_space(config.disk.limits(), free);
    let ledger = Arc::new(ledger(trust, &key, stops.restores())?);
    Ok(Opened {
        store,
        gateway: Arc::new(gateway),
        run: sources(trust)?,
        ledger,
    })
}

/// Opens a trust's store for a command beside the run. Only a run and `store migrate` take an
/// older store to this version: whoever merely looks shuts no older program out.
pub(crate) async fn store(
    config: &Config,
    trust: &TrustSection,
    key: &MasterKey,
) -> Result<AnyStore, Exit> {
    if config.store.is_some() {
        return store_for_run(config, trust, key).await;
    }
    let path = config.store_path(trust);
    let versions = SqliteStore::versions(&path, key)?;
    if versions.is_older() {
        return Err(Exit::Configuration(format!(
            "{} is of an older version (schema {}, this one has {}): `letterbox store migrate` or \
             the next `letterbox run` takes it there",
            path.display(),
            versions.found,
            versions.known
        )));
    }
    store_for_run(config, trust, key).await
}

/// Opens a trust's store, and takes it to this version.
pub(crate) async fn store_for_run(
    config: &Config,
    trust: &TrustSection,
    key: &MasterKey,
) -> Result<AnyStore, Exit> {
    platform::make_private_folder(&config.data).map_err(|error| {
        Exit::Unavailable(format!(
            "cannot use the folder {}: {error}",
            config.data.display()
        ))
    })?;
    let Some(database) = &config.store else {
        return Ok(SqliteStore::open(&config.store_path(trust), key)?.into());
    };
    let settings = settings(config, database, trust)?;
    Ok(PostgresStore::open(settings, key).await?.into())
}

/// Where a trust's schema is. The password stands in a file or in the usual environment.
fn settings(
    config: &Config,
    database: &StoreSection,
    trust: &TrustSection,
) -> Result<PostgresSettings, Exit> {
    let schema = trust.code.as_str().to_ascii_lowercase();
    let mut settings = PostgresSettings::new(&database.url, schema)
        .checkpoints(config.store_path(trust).with_extension("checkpoints.txt"));
    if let Some(password) = password(database.password_file.as_deref())? {
        settings = settings.password(&password);
    }
    if let Some(url) = &database.keys_url {
        let password = password(database.keys_password_file.as_deref())?;
        settings = settings.keys(url, password.as_deref());
    }
    if let Some(ca) = &database.ca {
        settings = settings.ca(read(ca, "the CA certificates of the database")?);
    }
    if let Some(connections) = database.connections {
        settings = settings.connections(connections);
    }
    if database.may_lose_commits {
        settings = settings.allow_losing_commits();
    }
    Ok(settings)
}

fn password(file: Option<&Path>) -> Result<Option<String>, Exit> {
    match file {
        Some(file) => secret(file, "the password of the database", "write it there").map(Some),
        None => Ok(std::env::var_os("PGPASSWORD").and_then(|value| value.into_string().ok())),
    }
}

/// Reads a trust's master key.
pub(crate) fn master_key(trust: &TrustSection) -> Result<MasterKey, Exit> {
    let text = secret(
        &trust.key_file,
        "the trust's key",
        "put back your copy of it; for a trust that has no store yet `letterbox init DIR` makes one",
    )?;
    MasterKey::from_hex(&text)
        .map_err(|error| Exit::Configuration(format!("{}: {error}", trust.key_file.display())))
}

/// How often a store may be restored: as many origins its ledger may have.
const RESTORES_MAX: usize = 32;

/// The signer of a trust's ledger, that was restored so often.
pub(crate) fn signer(
    trust: &TrustSection,
    key: &MasterKey,
    restores: usize,
) -> Result<audit_core::Signer, Exit> {
    let origin = origin(trust, restores)?;
    audit_core::Signer::from_seed(origin.as_str(), key.signer_seed())
        .map_err(|error| Exit::Configuration(error.to_string()))
}

/// The origin of a trust's ledger. What was signed before a restore, and was lost, stands under
/// the one before: a ledger that goes on from less must never be taken for that one.
pub(crate) fn origin(trust: &TrustSection, restores: usize) -> Result<audit_core::Origin, Exit> {
    if restores > RESTORES_MAX {
        return Err(Exit::Configuration(format!(
            "the store was restored {restores} times: {RESTORES_MAX} is the most"
        )));
    }
    let code = trust.code.as_str().to_ascii_lowercase();
    let origin = match restores {
        0 => format!("letterbox.invalid/{code}"),
        times => format!("letterbox.invalid/{code}/restored-{times}"),
    };
    audit_core::Origin::parse(&origin).map_err(|error| Exit::Configuration(error.to_string()))
}

/// What signs a trust's ledger, that was restored so often, and whom it is shown to.
pub(crate) fn ledger(
    trust: &TrustSection,
    key: &MasterKey,
    restores: usize,
) -> Result<Ledger, Exit> {
    Ledger::new(Arc::new(signer(trust, key, restores)?), &trust.ledger)
}

/// The keys of a trust's ledger: one for each origin it may have had, and that of a signer elsewhere.
pub(crate) fn trusted(
    trust: &TrustSection,
    key: &MasterKey,
) -> Result<Vec<audit_core::VerifierKey>, Exit> {
    let signers = (0..=RESTORES_MAX).map(|times| signer(trust, key, times));
    let mut keys: Vec<_> = signers
        .map(|signer| Ok(signer?.verifier_key()))
        .collect::<Result<_, Exit>>()?;
    let there = trust.ledger.verifier_key();
    if let Some(there) = there.filter(|there| !keys.contains(there)) {
        keys.push(there);
    }
    Ok(keys)
}

/// The practice table in use.
pub(crate) fn practices(config: &Config) -> Result<PracticeTable, Exit> {
    practices_at(&config.practices_path(), config.practices.minimum_rows)
}

/// A practice table that was imported.
pub(crate) fn practices_at(path: &Path, minimum_rows: usize) -> Result<PracticeTable, Exit> {
    let bytes = fs::read(path).map_err(|error| {
        let path = path.display();
        Exit::Configuration(format!(
            "there is no practice table ({path}: {error}); `letterbox ods import FILE` takes one \
             into use"
        ))
    })?;
    let limits = TableLimits::at_least(minimum_rows);
    let table = PracticeTable::read(&bytes, &limits).map_err(|refused| {
        let path = path.display();
        Exit::Configuration(format!("the practice table {path} is not right: {refused}"))
    })?;
    let changed = fs::metadata(path).and_then(|about| about.modified()).ok();
    let day = changed.map(|at| chrono::DateTime::<chrono::Utc>::from(at).date_naive());
    Ok(match day {
        Some(day) => table.dated(day),
        None => table,
    })
}

/// A client for a trust's mailbox.
pub(crate) fn mesh_client(config: &Config, trust: &TrustSection) -> Result<Client, Exit> {
    let mesh = &config.mesh;
    let shared = secret(
        &mesh.shared_key_file,
        "the MESH shared key",
        "write it there",
    )?;
    let password = secret(
        &trust.password_file,
        "the mailbox password",
        "write it there",
    )?;
    let credentials = Credentials::new(
        trust.mailbox.clone(),
        Secret::new(password.into_bytes()),
        Secret::new(shared.into_bytes()),
    );
    let client = Client::builder(&mesh.url, credentials)
        .identity(identity(config)?)
        .trust(trust_anchors(config)?)
        .connect_timeout(Duration::from_secs(mesh.connect_timeout_seconds))
        .read_timeout(Duration::from_secs(mesh.read_timeout_seconds))
        .client_version(concat!("letterbox==", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(client)
}

/// Our certificate and its key, which must fit it.
pub(crate) fn identity(config: &Config) -> Result<TlsIdentity, Exit> {
    let mesh = &config.mesh;
    let certificate = read(&mesh.certificate, "the client certificate")?;
    let key = secret(
        &mesh.key,
        "the key of the client certificate",
        "put it there",
    )?;
    let identity = TlsIdentity::from_pem(&certificate, key.as_bytes()).map_err(|error| {
        let (certificate, key) = (mesh.certificate.display(), mesh.key.display());
        Exit::Configuration(format!("certificate {certificate} and key {key}: {error}"))
    })?;
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    if identity.not_after() < now {
        return Err(Exit::Configuration(format!(
            "the client certificate {} expired on {}: ask for a new one and put it there",
            mesh.certificate.display(),
            identity.not_after().format("%Y-%m-%d")
        )));
    }
    Ok(identity)
}

fn trust_anchors(config: &Config) -> Result<TrustAnchors, Exit> {
    let ca = read(&config.mesh.ca, "the CA certificates of MESH")?;
    TrustAnchors::from_pem(&ca)
        .map_err(|error| Exit::Configuration(format!("{}: {error}", config.mesh.ca.display())))
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>, Exit> {
    fs::read(path).map_err(|error| {
        Exit::Configuration(format!("cannot read {what} {}: {error}", path.display()))
    })
}

/// Reads a secret from a file that only this account may read.
fn secret(path: &Path, what: &str, otherwise: &str) -> Result<String, Exit> {
    let text = fs::read_to_string(path).map_err(|error| {
        Exit::Configuration(format!(
            "cannot read {what} {}: {error}; {otherwise}",
            path.display()
        ))
    })?;
    if platform::others_may_read(path)? {
        return Err(Exit::Configuration(format!(
            "{what} {} can be read by other accounts: chmod 600 {}",
            path.display(),
            path.display()
        )));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn sources(trust: &TrustSection) -> Result<Run, Exit> {
    let mut run = Run::default();
    for section in &trust.folder {
        fs::read_dir(&section.inbox).map_err(|error| {
            Exit::Configuration(format!(
                "cannot read the folder {}: {error}; check that it exists and that this account \
                 may read and write it",
                section.inbox.display()
            ))
        })?;
        let mut folder = Folder::new(section.source.as_str(), &section.inbox);
        folder.taken.clone_from(&section.taken);
        folder.refused.clone_from(&section.refused);
        folder.still_for = Duration::from_secs(section.still_for_seconds);
        folder.lane = section.lane;
        run.folders.push(folder);
    }
    let listeners = trust.mllp.iter();
    run.listeners = listeners
        .map(|section| Mllp::new(&*section.source, section.listen))
        .collect();
    run.feeds = trust
        .feed
        .iter()
        .map(doors::feed)
        .collect::<Result<_, _>>()?;
    run.doors = trust
        .http
        .iter()
        .map(doors::door)
        .collect::<Result<_, _>>()?;
    if let Some(seconds) = trust.delivery.look_every_seconds {
        run.look_every = Duration::from_secs(u64::from(seconds.max(1)));
    }
    if let Some(seconds) = trust.delivery.poll_every_seconds {
        run.poll_every = Duration::from_secs(u64::from(seconds.max(1)));
    }
    if let Some(seconds) = trust.delivery.stop_within_seconds {
        run.stop_within = Duration::from_secs(u64::from(seconds));
    }
    Ok(run)
}
