//! Events in words.

use audit_core::Event;

/// The way of a letter, a line for each event that a person would want to see, oldest first.
pub(super) fn lines(canonical: &[Vec<u8>]) -> Vec<String> {
    let mut events: Vec<Event> = canonical
        .iter()
        .filter_map(|bytes| Event::parse(bytes).ok())
        .collect();
    events.sort_by_key(|event| event.seq);
    events.iter().filter_map(line).collect()
}

fn line(event: &Event) -> Option<String> {
    let text = words(event)?;
    let at = event.body.at.to_string();
    let time: String = at
        .chars()
        .skip("2026-11-21T".len())
        .take("20:44:00.000".len())
        .collect();
    Some(format!("{time}  {text}"))
}

fn words(event: &Event) -> Option<String> {
    let body = &event.body;
    let text = |key: &str| body.data.text(key).unwrap_or_default().to_owned();
    Some(match (body.kind.as_str(), body.copy) {
        ("epr.signed_off", _) => "taken from the record system".to_owned(),
        ("epr.draft_seen", _) => "seen, but nobody signed it: it waits for its author".to_owned(),
        ("parsed", _) => "read; identity and signature hold".to_owned(),
        ("parse.failed" | "route.none" | "route.ambiguous" | "render.failed", _) => {
            format!("held: {}", reason(&text("reason")))
        }
        ("withheld", _) => format!("withheld: {}", reason(&text("reason"))),
        ("routed", Some(_)) => {
            format!(
                "goes to {}, mailbox {}",
                text("recipient_ods"),
                text("mailbox")
            )
        }
        ("rendered", _) => {
            let (profile, words) = (text("profile"), body.data.int("words").unwrap_or(0));
            let compared = if words > 0 {
                format!("{words} words")
            } else {
                "every byte".to_owned()
            };
            format!("shaped for {profile}; {compared} compared with what was signed: the same")
        }
        ("send.started", _) => {
            format!(
                "attempt {} begins, as {}",
                body.data.int("attempt")?,
                text("local_id")
            )
        }
        ("send.accepted", _) => format!("accepted by MESH as {}", text("message_id")),
        ("send.unknown", _) => {
            "the answer was lost; nothing is sent again before asking".to_owned()
        }
        ("send.found", _) => format!("MESH was asked and has it, as {}", text("message_id")),
        ("transport.collected", _) => {
            "collected by the practice's system; filing unproven".to_owned()
        }
        ("queued" | "routed", _) => return None,
        (other, _) => other.to_owned(),
    })
}

/// A reason's code in words.
pub(super) fn reason(code: &str) -> String {
    let words = match code {
        "nhs-number-invalid" => "the check digit of the NHS number does not hold",
        "restricted" => "marked as not for release to the GP",
        "MESH_NO_MAILBOX" => "the practice has no mailbox for this kind of letter",
        "not-authenticated" => "nobody signed it yet",
        other => return other.to_owned(),
    };
    format!("{words} ({code})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_without_words_is_shown_as_it_is() {
        assert_eq!(reason("mesh-12"), "mesh-12");
        assert!(reason("restricted").contains("not for release"));
    }
}
