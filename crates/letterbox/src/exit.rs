//! Exit codes: a contract with scripts and schedulers.

use std::process::ExitCode;

use crate::output;

/// Why a command did not simply succeed. Each way has an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Exit {
    /// 1: something was checked and found wanting.
    #[error("{0}")]
    Wanting(String),
    /// 2: the call or the configuration is wrong.
    #[error("{0}")]
    Configuration(String),
    /// 3: a person must act.
    #[error("{0}")]
    Person(String),
    /// 4: transport or store are out of reach.
    #[error("{0}")]
    Unavailable(String),
}

impl Exit {
    const fn code(&self) -> u8 {
        match self {
            Self::Wanting(_) => 1,
            Self::Configuration(_) => 2,
            Self::Person(_) => 3,
            Self::Unavailable(_) => 4,
        }
    }

    /// Says why on stderr, and gives the code.
    pub(crate) fn report(&self) -> ExitCode {
        output::complain(&self.to_string());
        ExitCode::from(self.code())
    }

    /// The same, with the trust that it is about.
    pub(crate) fn of(self, trust: &str) -> Self {
        let told = |text: String| format!("{trust}: {text}");
        match self {
            Self::Wanting(text) => Self::Wanting(told(text)),
            Self::Configuration(text) => Self::Configuration(told(text)),
            Self::Person(text) => Self::Person(told(text)),
            Self::Unavailable(text) => Self::Unavailable(told(text)),
        }
    }

    /// The graver of two: what the operator must mend first. The other is said at once.
    pub(crate) fn or_graver(self, other: Option<Self>) -> Self {
        let Some(other) = other else {
            return self;
        };
        let (graver, lesser) = if other.weight() > self.weight() {
            (other, self)
        } else {
            (self, other)
        };
        output::complain(&lesser.to_string());
        graver
    }

    const fn weight(&self) -> u8 {
        match self {
            Self::Configuration(_) => 4,
            Self::Unavailable(_) => 3,
            Self::Wanting(_) => 2,
            Self::Person(_) => 1,
        }
    }
}

impl From<letter_store::OpenError> for Exit {
    fn from(error: letter_store::OpenError) -> Self {
        use letter_store::OpenError as E;
        match error {
            E::WrongKey { .. }
            | E::NotAStore { .. }
            | E::NotDurable { .. }
            | E::TooNew { .. }
            | E::Older { .. } => Self::Configuration(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<letter_store::KeepError> for Exit {
    fn from(error: letter_store::KeepError) -> Self {
        use letter_store::KeepError as E;
        match error {
            E::Open(error) => error.into(),
            E::NoStore { .. } | E::InTheWay { .. } | E::NoBackup { .. } | E::NoKeys { .. } => {
                Self::Configuration(error.to_string())
            }
            E::Damaged { .. } => Self::Wanting(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<letter_delivery::StoreError> for Exit {
    fn from(error: letter_delivery::StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<letter_gateway::GatewayError> for Exit {
    fn from(error: letter_gateway::GatewayError) -> Self {
        use letter_gateway::GatewayError as E;
        match error {
            E::Folder { .. } | E::Listen { .. } | E::Exposed { .. } => {
                Self::Configuration(error.to_string())
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<mesh_client::Error> for Exit {
    fn from(error: mesh_client::Error) -> Self {
        use mesh_client::Disposition as D;
        match error.disposition() {
            D::Misuse => Self::Configuration(error.to_string()),
            D::Refused if error.is_configuration() => Self::Configuration(error.to_string()),
            D::Refused => Self::Wanting(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Exit {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_of_two_decides() {
        let person = || Exit::Person("look".into());
        let store = || Exit::Unavailable("gone".into());
        assert_eq!(person().or_graver(Some(store())).code(), 4);
        assert_eq!(store().or_graver(Some(person())).code(), 4);
        assert_eq!(person().or_graver(None).code(), 3);
    }

    #[test]
    fn a_trusts_fault_names_it_and_keeps_its_code() {
        let of = |exit: Exit| (exit.code(), exit.of("RXX").to_string());
        let said = || "why".to_owned();
        let exits = [
            Exit::Wanting(said()),
            Exit::Configuration(said()),
            Exit::Person(said()),
            Exit::Unavailable(said()),
        ];
        let codes = exits.into_iter().map(of).collect::<Vec<_>>();
        let expected = [1, 2, 3, 4].map(|code| (code, "RXX: why".to_owned()));
        assert_eq!(codes, expected);
    }
}
