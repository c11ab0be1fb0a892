//! `check`: everything that can be wrong before a letter is at stake, a line each.

use std::fs;

use letter_gateway::Space;
use letter_store::VerifyAgainst;
use mesh_client::Client;
use serde_json::json;

use super::Context;
use super::run::now;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::open;
use crate::output::{say, say_json};
use crate::platform;

/// Days before a certificate expires when it is worth a word (audit-and-delivery facts, W-CRT).
const CERTIFICATE_WARN_DAYS: i64 = 30;
/// Days after which a practice table is old (gp-routing facts 16).
const TABLE_WARN_DAYS: i64 = 7;
/// A clock that is off by more is refused by MESH sooner or later.
const CLOCK_WARN_MINUTES: i64 = 5;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

struct Lines<'a> {
    context: &'a Context,
    failed: usize,
    unreachable: bool,
}

impl Lines<'_> {
    fn add(&mut self, verdict: Verdict, what: &str, text: &str) -> Result<(), Exit> {
        let word = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
        };
        self.failed += usize::from(verdict == Verdict::Fail);
        if self.context.json {
            let value = json!({"check": what, "verdict": word.to_lowercase(), "text": text});
            return say_json(&value);
        }
        say(&format!("{word:4}  {what}: {text}"))
    }

    fn result<T>(&mut self, what: &str, result: Result<T, Exit>) -> Result<Option<T>, Exit> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(exit) => {
                self.unreachable |= matches!(exit, Exit::Unavailable(_));
                self.add(Verdict::Fail, what, &exit.to_string())
                    .map(|()| None)
            }
        }
    }
}

pub(super) async fn check(config: &Config, context: &Context) -> Result<(), Exit> {
    let mut lines = Lines {
        context,
        failed: 0,
        unreachable: false,
    };
    lines.add(Verdict::Ok, "configuration", "read and understood")?;
    certificate(config, &mut lines)?;
    practice_table(config, &mut lines)?;
    disk(config, &mut lines)?;
    for trust in config.trusts(context.trust.as_deref())? {
        folders(trust, &mut lines)?;
        store(config, trust, &mut lines).await?;
        mailbox(config, trust, &mut lines).await?;
    }
    match (lines.failed, lines.unreachable) {
        (0, _) => Ok(()),
        (failed, true) => Err(Exit::Unavailable(format!("{failed} checks failed"))),
        (failed, false) => Err(Exit::Wanting(format!("{failed} checks failed"))),
    }
}

fn certificate(config: &Config, lines: &mut Lines<'_>) -> Result<(), Exit> {
    let Some(identity) = lines.result("certificate", open::identity(config))? else {
        return Ok(());
    };
    let days = (identity.not_after() - now()).num_days();
    let verdict = if days < CERTIFICATE_WARN_DAYS {
        Verdict::Warn
    } else {
        Verdict::Ok
    };
    let name = identity.common_name().unwrap_or("no name");
    lines.add(verdict, "certificate", &format!("{name}, {days} days left"))
}

fn practice_table(config: &Config, lines: &mut Lines<'_>) -> Result<(), Exit> {
    let Some(table) = lines.result("practice table", open::practices(config))? else {
        return Ok(());
    };
    let days = table
        .date()
        .map_or(0, |date| (now().date_naive() - date).num_days());
    let verdict = if days > TABLE_WARN_DAYS {
        Verdict::Warn
    } else {
        Verdict::Ok
    };
    let counts = table.counts();
    let text = format!(
        "{} GP practices, imported {days} days ago",
        counts.active_gp_practices
    );
    lines.add(verdict, "practice table", &text)
}

fn disk(config: &Config, lines: &mut Lines<'_>) -> Result<(), Exit> {
    let free = platform::disk_free_percent(&config.data);
    match (free, config.disk.limits().of(free)) {
        (Some(free), Space::Refusing) => lines.add(
            Verdict::Warn,
            "disk",
            &format!("{free} % free: no document is taken in until there is more"),
        ),
        (Some(free), Space::Enough) => lines.add(Verdict::Ok, "disk", &format!("{free} % free")),
        (Some(free), _) => lines.add(Verdict::Warn, "disk", &format!("{free} % free")),
        (None, _) => lines.add(
            Verdict::Warn,
            "disk",
            "free space is not known on this system",
        ),
    }
}

fn folders(trust: &TrustSection, lines: &mut Lines<'_>) -> Result<(), Exit> {
    for section in &trust.folder {
        let folders = [
            ("inbox", &section.inbox),
            ("taken", &section.taken),
            ("refused", &section.refused),
        ];
        for (name, path) in folders {
            let what = format!("{} {name} of {}", trust.code, section.source);
            // Where documents go is made when the first goes there; where they come from is not.
            let made = if name == "inbox" {
                Ok(())
            } else {
                fs::create_dir_all(path)
            };
            match made.and_then(|()| platform::try_writing(path)) {
                Ok(()) => lines.add(Verdict::Ok, &what, "can be written")?,
                Err(error) => {
                    let path = path.display();
                    let text = format!("{path}: {error}; this account must be able to write there");
                    lines.add(Verdict::Fail, &what, &text)?;
                }
            }
        }
    }
    Ok(())
}

async fn store(config: &Config, trust: &TrustSection, lines: &mut Lines<'_>) -> Result<(), Exit> {
    let what = format!("{} store", trust.code);
    let opened = async {
        let key = open::master_key(trust)?;
        let trusted = open::trusted(trust, &key)?;
        Ok((open::store(config, trust, &key).await?, trusted))
    };
    let opened = opened.await;
    let Some((store, trusted)) = lines.result(&what, opened)? else {
        return Ok(());
    };
    let against = VerifyAgainst {
        trusted,
        ..VerifyAgainst::default()
    };
    let found = store.verify(against).await.map_err(Exit::from);
    let Some(found) = lines.result(&what, found)? else {
        return Ok(());
    };
    if found.is_clean() {
        return lines.add(
            Verdict::Ok,
            &what,
            &format!("{} events, verified", found.events),
        );
    }
    let text = format!("{} faults: letterbox audit verify", found.faults.len());
    lines.add(Verdict::Fail, &what, &text)
}

async fn mailbox(config: &Config, trust: &TrustSection, lines: &mut Lines<'_>) -> Result<(), Exit> {
    let what = format!("{} mailbox {}", trust.code, trust.mailbox);
    let Some(client) = lines.result(&what, open::mesh_client(config, trust))? else {
        return Ok(());
    };
    let greeted = client.handshake().await.map_err(Exit::from);
    if lines.result(&what, greeted)?.is_none() {
        return Ok(());
    }
    lines.add(Verdict::Ok, &what, "handshake succeeded")?;
    clock(&client, lines)
}

fn clock(client: &Client, lines: &mut Lines<'_>) -> Result<(), Exit> {
    match client.clock_skew() {
        Some(skew) if skew.num_minutes().abs() >= CLOCK_WARN_MINUTES => {
            let text = format!(
                "off by {} minutes against MESH: set it right",
                skew.num_minutes()
            );
            lines.add(Verdict::Fail, "clock", &text)
        }
        Some(skew) => lines.add(
            Verdict::Ok,
            "clock",
            &format!("within {} s of MESH", skew.num_seconds().abs()),
        ),
        None => lines.add(Verdict::Warn, "clock", "MESH did not say what time it is"),
    }
}
