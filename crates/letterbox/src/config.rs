//! `letterbox.toml`: read once, checked whole, with a message that says what to do.

mod doors;
mod ledger;
mod sections;
mod store;
mod template;

use std::fs;
use std::path::{Path, PathBuf};

use nhs_types::OdsCode;
use serde::Deserialize;

use crate::exit::Exit;

pub(crate) use doors::{
    AcknowledgeChoice, BeginChoice, FeedSection, HttpSection, InboundSection, Way,
};
pub(crate) use ledger::LedgerSection;
pub(crate) use sections::{
    DiskSection, MeshSection, MetricsSection, PracticesSection, TrustSection,
};
pub(crate) use store::StoreSection;
pub(crate) use template::{CONFIG_NAME, template};

/// The configuration, with every path made absolute.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where stores and the practice table are kept.
    pub(crate) data: PathBuf,
    /// The database of the stores, where they are not files of their own.
    #[serde(default, deserialize_with = "store::url_or_section")]
    pub(crate) store: Option<StoreSection>,
    /// The MESH service.
    pub(crate) mesh: MeshSection,
    /// When the disk is short.
    #[serde(default)]
    pub(crate) disk: DiskSection,
    /// The practice table.
    #[serde(default)]
    pub(crate) practices: PracticesSection,
    /// Where metrics are read, if anywhere.
    #[serde(default)]
    pub(crate) metrics: Option<MetricsSection>,
    /// The trusts.
    pub(crate) trust: Vec<TrustSection>,
}

impl Config {
    /// Reads and checks the configuration.
    pub(crate) fn read(path: &Path) -> Result<Self, Exit> {
        let text = fs::read_to_string(path).map_err(|error| {
            let path = path.display();
            Exit::Configuration(format!(
                "cannot read the configuration {path}: {error}; `letterbox init DIR` writes one, \
                 `--config FILE` names another"
            ))
        })?;
        let base = path.parent().unwrap_or_else(|| Path::new("."));
        Self::parse(&text, base)
            .map_err(|why| Exit::Configuration(format!("{} is not right: {why}", path.display())))
    }

    fn parse(text: &str, base: &Path) -> Result<Self, String> {
        let mut config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.data = base.join(&config.data);
        config.mesh.resolve(base);
        if let Some(store) = &mut config.store {
            store.resolve(base);
        }
        for trust in &mut config.trust {
            trust.resolve(base);
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if self.trust.is_empty() {
            return Err("it names no trust: add a [[trust]] section".to_owned());
        }
        if let Some(store) = &self.store {
            store.check()?;
        }
        if !self.mesh.url.starts_with("https://") {
            return Err("mesh.url must begin with https://".to_owned());
        }
        for (index, trust) in self.trust.iter().enumerate() {
            let earlier = self.trust.iter().take(index);
            if earlier.clone().any(|other| other.code == trust.code) {
                return Err(format!("trust {} is there twice", trust.code));
            }
            trust.check()?;
        }
        self.check_shared()
    }

    /// What two would share, each would take from the other: inboxes, listeners, mailboxes.
    fn check_shared(&self) -> Result<(), String> {
        let folders = || self.trust.iter().flat_map(|trust| &trust.folder);
        let path = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let inboxes: Vec<_> = folders().map(|folder| path(&folder.inbox)).collect();
        if let Some(twice) = twice(&inboxes) {
            return Err(format!("the inbox {} is there twice", twice.display()));
        }
        let mut others = folders().flat_map(|folder| [&folder.taken, &folder.refused]);
        if let Some(other) = others.find(|other| inboxes.contains(&path(other))) {
            let other = other.display();
            return Err(format!(
                "{other} is an inbox, and where taken or refused files go"
            ));
        }
        let mllp = self.trust.iter().flat_map(|trust| &trust.mllp);
        let http = self.trust.iter().flat_map(|trust| &trust.http);
        let listeners: Vec<_> = mllp
            .map(|mllp| mllp.listen)
            .chain(http.map(|http| http.listen))
            .collect();
        if let Some(twice) = twice(&listeners) {
            return Err(format!(
                "two of [[trust.mllp]] and [[trust.http]] listen on {twice}"
            ));
        }
        let mailboxes: Vec<_> = self.trust.iter().map(|trust| &trust.mailbox).collect();
        match twice(&mailboxes) {
            Some(twice) => Err(format!("two trusts have the mailbox {twice}")),
            None => Ok(()),
        }
    }

    /// The trusts a command is about: all, or the one that was named.
    pub(crate) fn trusts(&self, named: Option<&str>) -> Result<Vec<&TrustSection>, Exit> {
        let Some(named) = named else {
            return Ok(self.trust.iter().collect());
        };
        let code = OdsCode::parse(named)
            .map_err(|error| Exit::Configuration(format!("--trust {named}: {error}")))?;
        let found: Vec<_> = self
            .trust
            .iter()
            .filter(|trust| trust.code == code)
            .collect();
        if found.is_empty() {
            let known: Vec<_> = self.trust.iter().map(|trust| trust.code.as_str()).collect();
            return Err(Exit::Configuration(format!(
                "no trust {code} is configured; there are: {}",
                known.join(", ")
            )));
        }
        Ok(found)
    }

    /// The one trust a command is about.
    pub(crate) fn one_trust(&self, named: Option<&str>) -> Result<&TrustSection, Exit> {
        match self.trusts(named)?.as_slice() {
            [one] => Ok(one),
            _ => Err(Exit::Configuration(
                "several trusts are configured: say which with --trust CODE".to_owned(),
            )),
        }
    }

    /// The store of a trust.
    pub(crate) fn store_path(&self, trust: &TrustSection) -> PathBuf {
        self.data
            .join(format!("{}.db", trust.code.as_str().to_ascii_lowercase()))
    }

    /// The practice table in use.
    pub(crate) fn practices_path(&self) -> PathBuf {
        self.data.join("practices.csv")
    }
}

fn twice<T: PartialEq>(all: &[T]) -> Option<&T> {
    let mut indexed = all.iter().enumerate();
    indexed
        .find(|(index, one)| all.iter().take(*index).any(|other| other == *one))
        .map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/srv/letterbox"))
    }

    #[test]
    fn the_template_is_a_configuration() {
        let config = parse(&template()).unwrap();
        assert_eq!(config.trust.len(), 1);
        assert_eq!(config.data, Path::new("/srv/letterbox/data"));
        assert_eq!(
            config.store_path(&config.trust[0]),
            Path::new("/srv/letterbox/data/rxx.db")
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place() {
        let text = template().replace("data = \"data\"", "data = \"data\"\ndatas = \"x\"");
        let why = parse(&text).unwrap_err();
        assert!(why.contains("datas") && why.contains("line"), "{why}");
    }

    #[test]
    fn a_missing_key_is_named() {
        let text = template().replace("mailbox = \"RXXOT001\"", "");
        let why = parse(&text).unwrap_err();
        assert!(why.contains("mailbox"), "{why}");
    }

    #[test]
    fn wrong_values_are_refused_with_what_to_do() {
        for (right, wrong, says) in [
            ("code = \"RXX\"", "code = \"R\"", "ODS code"),
            ("url = \"https://", "url = \"http://", "https://"),
            ("profile = \"emis\"", "profile = \"emiss\"", "profile"),
            ("\"source\"", "\"required\"", "demographics"),
        ] {
            let text = template();
            assert!(text.contains(right), "{right}");
            let why = parse(&text.replacen(right, wrong, 1)).unwrap_err();
            assert!(why.contains(says), "{wrong}: {why}");
        }
    }

    #[test]
    fn a_trust_that_is_there_twice_is_refused() {
        let text = template();
        let trust = text.find("[[trust]]").unwrap();
        let twice = format!("{text}\n{}", text.split_at(trust).1);
        assert!(parse(&twice).unwrap_err().contains("twice"));
    }

    #[test]
    fn what_two_trusts_would_take_from_each_other_is_refused() {
        let text = template();
        let trust = text.split_at(text.find("[[trust]]").unwrap()).1;
        let other = |changes: &[(&str, &str)]| {
            let second = changes.iter().fold(trust.to_owned(), |text, (from, to)| {
                assert!(text.contains(from), "{from}");
                text.replace(from, to)
            });
            parse(&format!("{text}\n{second}"))
        };
        let code = ("code = \"RXX\"", "code = \"RYY\"");
        let inbox = ("inbox = \"in\"", "inbox = \"in2\"");
        let mailbox = ("mailbox = \"RXXOT001\"", "mailbox = \"RYYOT001\"");
        assert!(other(&[code, inbox, mailbox]).is_ok());
        assert!(other(&[code, mailbox]).unwrap_err().contains("inbox"));
        assert!(other(&[code, inbox]).unwrap_err().contains("mailbox"));
        let taken = ("taken = \"taken\"", "taken = \"in\"");
        assert!(
            other(&[code, inbox, mailbox, taken])
                .unwrap_err()
                .contains("taken")
        );
    }

    /// The template with these lines no longer comments.
    fn with(lines: &[(&str, &str)]) -> Config {
        let text = lines.iter().fold(template(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        parse(&text).unwrap()
    }

    #[test]
    fn what_the_template_says_about_flow_and_disk_is_the_default() {
        let config = with(&[
            ("#[disk]", "[disk]"),
            ("#warn_percent", "warn_percent"),
            ("#critical_percent", "critical_percent"),
            ("#refuse_percent", "refuse_percent"),
            ("#lane", "lane"),
            ("#[trust.delivery]", "[trust.delivery]"),
            ("#stop_within_seconds", "stop_within_seconds"),
            ("#at_once", "at_once"),
            ("#kept_for_fresh", "kept_for_fresh"),
            ("#fresh_for_seconds", "fresh_for_seconds"),
            ("#per_mailbox", "per_mailbox"),
            ("#today_an_hour", "today_an_hour"),
            ("#replay_an_hour", "replay_an_hour"),
            ("#replay_percent", "replay_percent"),
            ("#lease_seconds", "lease_seconds"),
            ("#breaker_failures", "breaker_failures"),
            ("#breaker_pause_seconds", "breaker_pause_seconds"),
        ]);
        let limits = letter_gateway::SpaceLimits::default();
        assert_eq!(config.disk.limits(), limits);
        let trust = &config.trust[0];
        assert_eq!(trust.folder[0].lane, letter_delivery::Lane::Today);
        assert_eq!(trust.delivery.stop_within_seconds, Some(30));
        let default = letter_delivery::Policy::default();
        let (said, meant) = (
            format!("{:?}", trust.delivery.policy()),
            format!("{default:?}"),
        );
        assert_eq!(said, meant);
    }

    #[test]
    fn flow_and_disk_are_settings() {
        let config = with(&[
            ("#[disk]", "[disk]"),
            ("#refuse_percent = 5", "refuse_percent = 0"),
            ("#lane = \"today\"", "lane = \"replay\""),
            ("#[trust.delivery]", "[trust.delivery]"),
            ("#at_once = 16", "at_once = 0"),
            ("#per_mailbox = 4", "per_mailbox = 9"),
            ("#today_an_hour = 0", "today_an_hour = 120"),
            ("#replay_an_hour = 60", "replay_an_hour = 0"),
            ("#lease_seconds = 180", "lease_seconds = 1"),
        ]);
        assert_eq!(config.disk.limits().refuse, 0);
        let trust = &config.trust[0];
        assert_eq!(trust.folder[0].lane, letter_delivery::Lane::Replay);
        let policy = trust.delivery.policy();
        assert_eq!(
            (policy.at_once, policy.per_destination),
            (1, 9),
            "one at least"
        );
        assert_eq!(
            (policy.today_an_hour, policy.replay_an_hour),
            (Some(120), None)
        );
        assert_eq!(
            policy.lease,
            chrono::Duration::seconds(10),
            "ten seconds at least"
        );
    }

    #[test]
    fn real_letters_never_go_with_test_patients() {
        let text = template()
            .replace("live = false", "live = true")
            .replace("allow_synthetic = false", "allow_synthetic = true");
        assert!(parse(&text).unwrap_err().contains("allow_synthetic"));
    }
}
