use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// `store = "postgres://…"` or `[store]`: one database for all trusts, a schema for each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreSection {
    /// Where the database is.
    pub(crate) url: String,
    /// The password of the account, in a file; else it is taken from `PGPASSWORD`.
    pub(crate) password_file: Option<PathBuf>,
    /// Where the keys of the letters are, when not beside the letters.
    pub(crate) keys_url: Option<String>,
    /// The password of that account, in a file.
    pub(crate) keys_password_file: Option<PathBuf>,
    /// Certificates that the server's own must lead to.
    pub(crate) ca: Option<PathBuf>,
    /// How many connections each trust's store may hold.
    pub(crate) connections: Option<usize>,
    /// Accepts a server that may lose what it confirmed: for tests only.
    #[serde(default)]
    pub(crate) may_lose_commits: bool,
}

impl StoreSection {
    fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            password_file: None,
            keys_url: None,
            keys_password_file: None,
            ca: None,
            connections: None,
            may_lose_commits: false,
        }
    }

    pub(super) fn resolve(&mut self, base: &Path) {
        let files = [
            &mut self.password_file,
            &mut self.keys_password_file,
            &mut self.ca,
        ];
        for path in files.into_iter().flatten() {
            *path = base.join(&*path);
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let urls = std::iter::once(&self.url).chain(&self.keys_url);
        for url in urls {
            let is_postgres = ["postgres://", "postgresql://", "host="];
            if !is_postgres.iter().any(|start| url.starts_with(start)) {
                return Err("store: the URL must begin with postgres://".to_owned());
            }
            if has_password(url) {
                return Err(
                    "store: a password does not belong into the configuration: name a file with \
                     password_file, or set PGPASSWORD"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }
}

/// Told before anything repeats the URL.
fn has_password(url: &str) -> bool {
    let account = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
    account.is_some_and(|(account, _)| account.contains(':')) || url.contains("password=")
}

/// Takes a URL alone, or a section.
pub(super) fn url_or_section<'de, D: Deserializer<'de>>(
    value: D,
) -> Result<Option<StoreSection>, D::Error> {
    value.deserialize_any(UrlOrSection).map(Some)
}

struct UrlOrSection;

impl<'de> Visitor<'de> for UrlOrSection {
    type Value = StoreSection;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the URL of a database, or a section with url")
    }

    fn visit_str<E>(self, url: &str) -> Result<StoreSection, E> {
        Ok(StoreSection::at(url))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StoreSection, A::Error> {
        StoreSection::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, template};

    fn parse(store: &str) -> Result<Config, String> {
        let text = template().replace("data = \"data\"", &format!("data = \"data\"\n{store}"));
        Config::parse(&text, std::path::Path::new("/srv/letterbox"))
    }

    #[test]
    fn a_database_is_named_by_its_url_or_with_more_in_a_section() {
        assert!(parse("").unwrap().store.is_none());
        let url = "postgres://letterbox@db/letters";
        let config = parse(&format!("store = \"{url}\"")).unwrap();
        assert_eq!(config.store.unwrap().url, url);
        let section = format!("store = {{ url = \"{url}\", password_file = \"secrets/db\" }}");
        let store = parse(&section).unwrap().store.unwrap();
        let file = store.password_file.unwrap();
        assert_eq!(file, std::path::Path::new("/srv/letterbox/secrets/db"));
        assert!(!store.may_lose_commits);
    }

    #[test]
    fn a_password_in_the_configuration_is_refused_and_not_repeated() {
        for url in [
            "postgres://letterbox:geheim@db/letters",
            "host=db user=letterbox password=geheim",
        ] {
            let why = parse(&format!("store = \"{url}\"")).unwrap_err();
            assert!(why.contains("password_file"), "{why}");
            assert!(!why.contains("geheim"), "{why}");
        }
    }

    #[test]
    fn what_is_no_database_and_what_is_unknown_is_told() {
        for (store, says) in [
            ("store = \"mysql://db\"", "postgres://"),
            ("store = 7", "URL of a database"),
            (
                "store = { url = \"postgres://db/x\", pass = \"x\" }",
                "pass",
            ),
        ] {
            let why = parse(store).unwrap_err();
            assert!(why.contains(says), "{store}: {why}");
        }
    }
}
