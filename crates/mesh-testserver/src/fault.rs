use std::time::Duration;

/// A rule that makes the server misbehave for the requests it fits.
///
/// It is used once, for the first request that fits, unless told otherwise; of several rules
/// that fit, the one that was given first acts.
///
/// ```
/// use mesh_testserver::{Fault, FaultAction};
/// let lost_answer = Fault::new("POST", "/messageexchange/*/outbox", FaultAction::DropAfter);
/// let busy = Fault::new("GET", "*/inbox", FaultAction::status(503)).times(3).skip(1);
/// # let _ = (lost_answer, busy);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    method: String,
    path: String,
    times: usize,
    skip: usize,
    before_token: bool,
    action: FaultAction,
}

/// What happens instead of, or after, the ordinary answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FaultAction {
    /// Answer this; the request has no effect.
    Status {
        /// The status.
        status: u16,
        /// Headers of the answer.
        headers: Vec<(String, String)>,
        /// Its body.
        body: Vec<u8>,
    },
    /// Close the connection without an answer; the request has no effect.
    DropBefore,
    /// The request takes effect, then the connection is closed without an answer.
    DropAfter,
    /// The request takes effect; only the first bytes of the answer's body are sent.
    Cut {
        /// How many.
        bytes: usize,
    },
    /// The request takes effect; the byte in the middle of the answer's body is damaged.
    Flip,
    /// Wait first, then go on as usual.
    Delay(Duration),
    /// The request takes effect; parts of the answer are replaced.
    Replace {
        /// Another status.
        status: Option<u16>,
        /// Headers to set, or with `None` to take away.
        headers: Vec<(String, Option<String>)>,
        /// Another body; its length is told rightly.
        body: Option<Vec<u8>>,
    },
}

impl Fault {
    /// A rule for a method (`*` for any) and a path without query, in which `*` stands for any
    /// characters.
    pub fn new(method: &str, path: &str, action: FaultAction) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self {
            method,
            path,
            times: 1,
            skip: 0,
            before_token: false,
            action,
        }
    }

    /// Uses the rule for so many requests.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Uses the rule for every request that fits.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Lets so many requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// Acts before the token is checked and noted as used, as a gateway in front would.
    #[must_use]
    pub fn before_token(mut self) -> Self {
        self.before_token = true;
        self
    }
}

impl FaultAction {
    /// An answer with this status and no body.
    pub fn status(status: u16) -> Self {
        Self::Status {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// An answer with this status and body.
    pub fn status_with_body(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Status {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }
}

/// What a rule tells to do, and when.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) action: FaultAction,
    pub(crate) before_token: bool,
}

/// Uses up a rule that fits the request.
pub(crate) fn choose(rules: &mut [Fault], method: &str, path: &str) -> Option<Chosen> {
    for rule in rules
        .iter_mut()
        .filter(|rule| rule.times > 0 && rule.fits(method, path))
    {
        if rule.skip > 0 {
            rule.skip -= 1;
            continue;
        }
        if rule.times != usize::MAX {
            rule.times -= 1;
        }
        return Some(Chosen {
            action: rule.action.clone(),
            before_token: rule.before_token,
        });
    }
    None
}

impl Fault {
    fn fits(&self, method: &str, path: &str) -> bool {
        (self.method == "*" || self.method.eq_ignore_ascii_case(method))
            && matches(&self.path, path)
    }
}

/// Matches a text against a pattern with `*` for any run of characters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("/a/b", "/a/b"));
        assert!(!matches("/a/b", "/a/b/c"));
        assert!(matches("*", ""));
        assert!(matches("/a/*", "/a/b/c"));
        assert!(matches("/*/inbox/*/2", "/X/inbox/ID/2"));
        assert!(!matches("/*/inbox/*/2", "/X/inbox/ID/3"));
        assert!(!matches("/x*", "/a"));
        assert!(matches("*inbox", "/X/inbox"));
        assert!(!matches("*inbox", "/X/inbox/ID"));
    }

    #[test]
    fn a_rule_skips_acts_and_is_used_up() {
        let mut rules = [Fault::new("GET", "*", FaultAction::Flip).skip(1).times(2)];
        let mut chosen = |method: &str| choose(&mut rules, method, "/x").is_some();
        assert_eq!([chosen("POST"), chosen("GET")], [false, false]);
        assert_eq!(
            [chosen("GET"), chosen("get"), chosen("GET")],
            [true, true, false]
        );
    }

    #[test]
    fn the_first_rule_that_fits_acts_and_always_stays() {
        let mut rules = [
            Fault::new("*", "/x", FaultAction::status(500)).always(),
            Fault::new("*", "/x", FaultAction::Flip),
        ];
        for _ in 0..3 {
            let chosen = choose(&mut rules, "PUT", "/x").unwrap();
            assert!(matches!(
                chosen.action,
                FaultAction::Status { status: 500, .. }
            ));
        }
    }
}
