//! The emergency stop: what must not be sent until somebody lifts it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use nhs_types::OdsCode;
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::reason::Reason;
use crate::record::{CopyRecord, LetterRecord};

/// What shares a fault: everything, or what has all that is named here.
///
/// ```
/// use letter_delivery::Scope;
/// let mut scope = Scope::default();
/// assert!(scope.is_all());
/// scope.source = Some("epr".to_owned());
/// scope.class = Some("discharge-summary".to_owned());
/// assert_eq!(scope.to_string(), "source epr, class discharge-summary");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Scope {
    /// What came from this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Letters of this class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What goes to this practice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practice: Option<OdsCode>,
    /// What was shaped for this receiver profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What was routed or proven by this version of the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<String>,
}

impl Scope {
    /// Whether nothing is named, so that it is about everything.
    pub const fn is_all(&self) -> bool {
        !self.is_about_letters() && !self.is_about_copies()
    }

    /// Whether a letter without any copy can be told by it.
    pub const fn is_about_copies(&self) -> bool {
        self.practice.is_some() || self.profile.is_some() || self.rules.is_some()
    }

    const fn is_about_letters(&self) -> bool {
        self.source.is_some() || self.class.is_some()
    }

    /// Whether a letter shares it, as far as a letter alone can tell.
    pub fn holds_letter(&self, letter: &LetterRecord) -> bool {
        let same = |named: &Option<String>, is: &str| named.as_deref().is_none_or(|n| n == is);
        same(&self.source, &letter.source) && same(&self.class, &letter.class)
    }

    /// Whether a copy shares it.
    pub fn holds(&self, letter: &LetterRecord, copy: &CopyRecord) -> bool {
        let address = &copy.address;
        let practice = self.practice.as_ref();
        let profile = self.profile.as_deref();
        let rules = self.rules.as_deref();
        self.holds_letter(letter)
            && practice.is_none_or(|code| *code == address.practice)
            && profile.is_none_or(|name| name == address.profile)
            && rules.is_none_or(|named| copy.rules.iter().any(|rules| rules == named))
    }

    /// What is named, and how.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let parts = [
            ("source", self.source.as_deref()),
            ("class", self.class.as_deref()),
            ("practice", self.practice.as_ref().map(OdsCode::as_str)),
            ("profile", self.profile.as_deref()),
            ("rules", self.rules.as_deref()),
        ];
        parts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("everything");
        }
        let parts: Vec<String> = self
            .parts()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        f.write_str(&parts.join(", "))
    }
}

/// One emergency stop: an event of the ledger's own stream, and a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stop {
    /// Its number, from 1.
    pub id: u32,
    /// What it stops.
    pub scope: Scope,
    /// Why.
    pub reason: Reason,
    /// Who set it.
    pub set_by: Actor,
    /// When.
    pub set_at: DateTime<Utc>,
    /// How it was lifted; it stands as long as it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<Lift>,
}

/// How a stop ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Lift {
    /// Who lifted it.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Reason,
}

impl Lift {
    pub(crate) const fn new(by: Actor, at: DateTime<Utc>, reason: Reason) -> Self {
        Self { by, at, reason }
    }
}

impl Stop {
    pub(crate) const fn new(
        id: u32,
        scope: Scope,
        reason: Reason,
        set_by: Actor,
        set_at: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            scope,
            reason,
            set_by,
            set_at,
            lifted: None,
        }
    }

    /// Whether it still stops anything.
    pub const fn stands(&self) -> bool {
        self.lifted.is_none()
    }
}

/// All stops that were ever set, as they were at one moment.
#[derive(Clone, Debug, Default)]
pub struct Stops(Arc<[Stop]>);

impl Stops {
    /// The rows of a store.
    pub fn new(rows: Vec<Stop>) -> Self {
        Self(rows.into())
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> &[Stop] {
        &self.0
    }

    /// Those that stand.
    pub fn standing(&self) -> impl Iterator<Item = &Stop> {
        self.0.iter().filter(|stop| stop.stands())
    }

    /// The first that stops this copy.
    pub fn holding(&self, letter: &LetterRecord, copy: &CopyRecord) -> Option<&Stop> {
        self.standing().find(|stop| stop.scope.holds(letter, copy))
    }

    /// How often stops were set and lifted: it grows with each, and never shrinks.
    ///
    /// The commit that begins a send carries the number it was decided with; a store refuses it
    /// when a stop was set meanwhile. That makes a stop effective before the next send.
    pub fn version(&self) -> u64 {
        let lifted = self.0.iter().filter(|stop| !stop.stands()).count();
        u64::try_from(self.0.len().saturating_add(lifted)).unwrap_or(u64::MAX)
    }
}
