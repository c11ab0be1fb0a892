//! Where a store's database is, and how it is reached.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use zeroize::Zeroizing;

/// How many connections a process holds to a database at most, unless told otherwise.
const CONNECTIONS: usize = 16;

/// A name longer than this is cut short by the server.
const SCHEMA_BYTES_MAX: usize = 63 - KEYS_SUFFIX.len();
/// What the schema of the keys has more than the store's.
const KEYS_SUFFIX: &str = "_keys";

/// Where a [`PostgresStore`](crate::PostgresStore) is, and how it is reached.
///
/// ```
/// use letter_store::PostgresSettings;
/// let settings = PostgresSettings::new("postgres://letterbox@db1,db2/letters?sslmode=require", "rxx")
///     .password("secret")
///     .keys("postgres://letterbox@vault/keys?sslmode=require", Some("another"))
///     .ca("-----BEGIN CERTIFICATE-----");
/// assert!(!format!("{settings:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct PostgresSettings {
    pub(super) main: Place,
    pub(super) keys: Place,
    pub(super) ca: Option<Vec<u8>>,
    pub(super) connections: usize,
    pub(super) notes: Option<PathBuf>,
    pub(super) may_lose_commits: bool,
}

/// A database and a schema in it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) url: String,
    pub(super) password: Option<Zeroizing<String>>,
    pub(super) schema: String,
}

impl PostgresSettings {
    /// A store in a schema of the database at a URL or connection string.
    ///
    /// Each trust has a schema of its own. With `sslmode=require` the connection is by TLS, and
    /// the server must prove itself by [`ca`](Self::ca).
    pub fn new(url: impl Into<String>, schema: impl Into<String>) -> Self {
        let (url, schema) = (url.into(), schema.into());
        let keys = Place {
            url: url.clone(),
            password: None,
            schema: format!("{schema}{KEYS_SUFFIX}"),
        };
        let main = Place {
            url,
            password: None,
            schema,
        };
        Self {
            main,
            keys,
            ca: None,
            connections: CONNECTIONS,
            notes: None,
            may_lose_commits: false,
        }
    }

    /// The password of the account, which does not belong into a URL.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        let password = Some(Zeroizing::new(password.to_owned()));
        if self.keys.url == self.main.url {
            self.keys.password.clone_from(&password);
        }
        self.main.password = password;
        self
    }

    /// Another database for the keys of the letters, so that its backups are apart from those of
    /// the letters: a letter is erased by destroying its key. Without this they lie in a schema
    /// beside the store's, `rxx_keys`.
    #[must_use]
    pub fn keys(mut self, url: impl Into<String>, password: Option<&str>) -> Self {
        self.keys.url = url.into();
        self.keys.password = password.map(|text| Zeroizing::new(text.to_owned()));
        self
    }

    /// The certificates, as PEM, that the server's own must lead to.
    #[must_use]
    pub fn ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(pem.into());
        self
    }

    /// How many connections this process holds to each database at most.
    #[must_use]
    pub const fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// A file outside the database for the signed checkpoints, by which a database that was rolled
    /// back is known.
    #[must_use]
    pub fn checkpoints(mut self, file: impl Into<PathBuf>) -> Self {
        self.notes = Some(file.into());
        self
    }

    /// Accepts a server that may lose commits which it confirmed: for tests only.
    #[must_use]
    pub const fn allow_losing_commits(mut self) -> Self {
        self.may_lose_commits = true;
        self
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings")
            .field("store", &self.main.shown())
            .field("keys", &self.keys.shown())
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

impl Place {
    /// What the driver needs, or why the URL is not right.
    pub(super) fn config(&self) -> Result<tokio_postgres::Config, String> {
        let mut config: tokio_postgres::Config = self
            .url
            .parse()
            .map_err(|error| format!("the URL is not right: {error}"))?;
        if config.get_password().is_some() {
            return Err("a password does not belong into the URL".to_owned());
        }
        if !is_name(&self.schema) {
            return Err(format!(
                "{} is no name for a schema: lower-case letters, digits and _, at most \
                 {SCHEMA_BYTES_MAX}",
                self.schema
            ));
        }
        if let Some(password) = &self.password {
            config.password(password.as_bytes());
        }
        if config.get_application_name().is_none() {
            config.application_name("letterbox");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        // A server that went away without a word is noticed.
        config.keepalives_idle(Duration::from_secs(15));
        config.tcp_user_timeout(Duration::from_secs(15));
        Ok(config)
    }

    /// Where it is, without account and password.
    pub(super) fn shown(&self) -> String {
        let config: Option<tokio_postgres::Config> = self.url.parse().ok();
        let database = config
            .as_ref()
            .and_then(|config| config.get_dbname())
            .unwrap_or("?");
        format!("database {database}, schema {}", self.schema)
    }
}

/// Whether the connection must be by TLS.
pub(super) fn wants_tls(config: &tokio_postgres::Config) -> bool {
    !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer)
}

/// A name that needs no quotes and no folding.
fn is_name(schema: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=SCHEMA_BYTES_MAX + KEYS_SUFFIX.len()).contains(&schema.len())
        && schema.bytes().all(fits)
        && !schema.starts_with("pg_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str, schema: &str) -> Place {
        PostgresSettings::new(url, schema).main
    }

    #[test]
    fn a_password_stands_in_no_url_and_no_debug_text() {
        let url = "postgres://letterbox:secret@db/letters";
        assert!(place(url, "rxx").config().unwrap_err().contains("password"));
        let settings = PostgresSettings::new(url, "rxx").password("secret");
        assert!(!format!("{settings:?}").contains("secret"));
        assert_eq!(settings.main.shown(), "database letters, schema rxx");
    }

    #[test]
    fn a_password_is_not_carried_to_another_database() {
        let settings = PostgresSettings::new("host=a", "rxx").password("secret");
        assert!(settings.keys.password.is_some(), "the same server");
        let settings = settings.keys("host=b", None);
        assert!(settings.keys.password.is_none());
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        let long = "a".repeat(SCHEMA_BYTES_MAX);
        for good in ["rxx", "r1_a", &long] {
            assert!(place("host=a", good).config().is_ok(), "{good}");
        }
        let longer = "a".repeat(64);
        for bad in ["", "RXX", "r-x", "r\"x", "pg_temp", &longer] {
            assert!(place("host=a", bad).config().is_err(), "{bad}");
        }
    }

    #[test]
    fn tls_is_spoken_where_the_url_asks_for_it() {
        for (url, tls) in [
            ("postgres://db/letters?sslmode=require", true),
            ("postgres://db/letters?sslmode=disable", false),
            ("postgres://db/letters", false),
        ] {
            assert_eq!(
                wants_tls(&place(url, "rxx").config().unwrap()),
                tls,
                "{url}"
            );
        }
    }

    #[test]
    fn a_url_that_is_none_is_told() {
        let why = place("postgres://db/letters?nonsense=1", "rxx").config();
        assert!(why.unwrap_err().contains("URL"));
    }
}
