//! Connections: made when needed, checked before they are used.

use std::sync::Arc;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts,
};
use letter_delivery::StoreError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{connect_cause, pool_error};
use super::settings::{Place, PostgresSettings, wants_tls};
use crate::OpenError;

/// How long a caller waits for a connection that others use.
const WAIT: std::time::Duration = std::time::Duration::from_secs(30);

/// What each connection works under: our schema, and no wait for a lock without end.
const SESSION: &str = "SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '60s'; \
     SET client_min_messages = 'warning'";

/// What a server must be to be trusted with a commit: one row for each thing that is wrong.
const DURABLE: &str = "SELECT name || ' = ' || setting FROM pg_settings \
     WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' \
     ORDER BY name";

/// The oldest version of the server that is known to do.
const SERVER_VERSION_MIN: i32 = 130_000;

/// The connections to one of the two places.
pub(super) fn pool(settings: &PostgresSettings, place: &Place) -> Result<Pool, OpenError> {
    let wrong = |cause: String| OpenError::Unreachable {
        path: place.shown().into(),
        cause,
    };
    let config = place.config().map_err(wrong)?;
    let manager = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = if wants_tls(&config) {
        let tls = tls(settings.ca.as_deref()).map_err(wrong)?;
        Manager::from_config(config, MakeRustlsConnect::new(tls), manager)
    } else {
        Manager::from_config(config, NoTls, manager)
    };
    let timeouts = Timeouts {
        wait: Some(WAIT),
        create: Some(WAIT),
        recycle: Some(WAIT),
    };
    let may_lose_commits = settings.may_lose_commits;
    let session: Arc<str> = format!("{SESSION}; SET search_path TO {}", place.schema).into();
    Pool::builder(manager)
        .max_size(settings.connections.max(2))
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .post_create(Hook::async_fn(move |client, _| {
            let session = Arc::clone(&session);
            Box::pin(async move {
                let failed = HookError::Backend;
                client.batch_execute(&session).await.map_err(failed)?;
                match undurable(client).await.map_err(failed)? {
                    Some(setting) if !may_lose_commits => Err(HookError::message(setting)),
                    _ => Ok(()),
                }
            })
        }))
        .build()
        .map_err(|error| wrong(error.to_string()))
}

/// The setting by which a server may lose what it confirmed.
async fn undurable(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let rows = client.query(DURABLE, &[]).await?;
    rows.first().map(|row| row.try_get(0)).transpose()
}

/// The first connection, with what keeps it from being one.
pub(super) async fn first(pool: &Pool, place: &Place) -> Result<Object, OpenError> {
    use deadpool_postgres::PoolError as E;
    let path = || place.shown().into();
    let unavailable = |cause| OpenError::Unreachable {
        path: path(),
        cause,
    };
    let client = pool.get().await.map_err(|error| match error {
        E::PostCreateHook(HookError::Message(setting)) => OpenError::NotDurable {
            path: path(),
            setting: setting.into_owned(),
        },
        E::Backend(error) | E::PostCreateHook(HookError::Backend(error)) => {
            unavailable(connect_cause(&error))
        }
        other => unavailable(other.to_string()),
    })?;
    let sql = "SELECT current_setting('server_version_num')::int4, pg_is_in_recovery()";
    let about = client.query_one(sql, &[]).await;
    let about = about.and_then(|row| Ok((row.try_get::<_, i32>(0)?, row.try_get(1)?)));
    match about.map_err(|error| unavailable(connect_cause(&error)))? {
        (_, true) => Err(unavailable(
            "it is a standby, which takes no changes".into(),
        )),
        (version, _) if version < SERVER_VERSION_MIN => {
            Err(unavailable("PostgreSQL is older than 13".into()))
        }
        _ => Ok(client),
    }
}

/// A connection that nobody else uses meanwhile.
pub(super) async fn one(pool: &Pool) -> Result<Object, StoreError> {
    pool.get().await.map_err(|error| pool_error(&error))
}

/// TLS in which the server proves itself by a certificate that leads to one of ours.
fn tls(ca: Option<&[u8]>) -> Result<rustls::ClientConfig, String> {
    let ca = ca.ok_or("sslmode=require needs the CA certificates that the server's leads to")?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca) {
        let added = certificate
            .map_err(|error| error.to_string())
            .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
        added.map_err(|error| format!("the CA certificates: {error}"))?;
    }
    if roots.is_empty() {
        return Err("there is no CA certificate in what was given".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
