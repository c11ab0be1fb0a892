use mesh_client::{Disposition, MessageId, MessageKind, OutgoingMessage};
use nhs_types::MailboxId;

use super::{CaseResult, Outcome, Target, case, clear, equal, is_true, new_local_id, text};

pub(super) async fn run(target: &Target, results: &mut Vec<CaseResult>) {
    case(
        results,
        "a message goes its whole way (sections 7, 9, 10, 12)",
        way(target),
    )
    .await;
    case(
        results,
        "headers arrive as they were sent (section 10)",
        headers(target),
    )
    .await;
    case(
        results,
        "bodies of any bytes and size arrive whole (section 10)",
        bodies(target),
    )
    .await;
    case(
        results,
        "listing and downloading change nothing (sections 9, 10)",
        reading(target),
    )
    .await;
    case(
        results,
        "an unregistered recipient is 417 with 12 (section 17)",
        unknown_to(target),
    )
    .await;
    case(
        results,
        "an unknown message is refused (section 10)",
        unknown_id(target),
    )
    .await;
    case(
        results,
        "another mailbox's message is refused (section 10)",
        foreign(target),
    )
    .await;
    case(
        results,
        "acknowledging twice does no harm (section 12)",
        twice(target),
    )
    .await;
}

async fn way(target: &Target) -> Outcome {
    let (sender, receiver) = (target.sender()?, target.receiver()?);
    let id = sender
        .send(&target.message(b"a letter")?)
        .await
        .map_err(text)?;
    let listed = receiver.inbox().await.map_err(text)?;
    is_true("the inbox lists it", listed.contains(&id))?;
    let message = receiver.download(&id).await.map_err(text)?;
    equal("body", message.body.as_slice(), b"a letter")?;
    receiver.acknowledge(&id).await.map_err(text)?;
    let listed = receiver.inbox().await.map_err(text)?;
    is_true("the inbox lists it no more", !listed.contains(&id))
}

async fn headers(target: &Target) -> Outcome {
    let local_id = new_local_id()?;
    let sent = target
        .message(b"<letter/>")?
        .with_local_id(local_id.clone())
        .with_subject("A subject: with / signs")
        .and_then(|message| message.with_file_name("letter 1.xml"))
        .and_then(|message| message.with_content_type("text/xml"))
        .map_err(text)?;
    let id = target.sender()?.send(&sent).await.map_err(text)?;
    let message = target.receiver()?.download(&id).await.map_err(text)?;
    clear(target, &id).await?;
    equal("from", message.from.as_ref(), Some(target.a.mailbox()))?;
    equal("to", message.to.as_ref(), Some(target.b.mailbox()))?;
    equal(
        "workflow",
        message.workflow.as_ref(),
        Some(&target.workflow),
    )?;
    equal("local id", message.local_id.as_ref(), Some(&local_id))?;
    let exposed = |text: &nhs_types::Sensitive<String>| text.expose().clone();
    let subject = message.subject.as_ref().map(exposed);
    equal(
        "subject",
        subject.as_deref(),
        Some("A subject: with / signs"),
    )?;
    let file_name = message.file_name.as_ref().map(exposed);
    equal("file name", file_name.as_deref(), Some("letter 1.xml"))?;
    is_true("it is data", matches!(message.kind, MessageKind::Data))
}

async fn bodies(target: &Target) -> Outcome {
    let every_byte: Vec<u8> = (0..=255).collect();
    let bodies = [
        b"x".to_vec(),
        every_byte,
        vec![b'a'; 20_000],
        noise(1_000_000),
        gzip_magic(),
    ];
    for body in bodies {
        let id = target
            .sender()?
            .send(&target.message(&body)?)
            .await
            .map_err(text)?;
        let message = target.receiver()?.download(&id).await.map_err(text)?;
        clear(target, &id).await?;
        is_true(
            &format!("{} bytes arrive unchanged", body.len()),
            message.body == body,
        )?;
    }
    Ok(())
}

/// Bytes that do not pack.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()
    };
    std::iter::repeat_with(next)
        .flat_map(|bytes| bytes.into_iter().take(4))
        .take(length)
        .collect()
}

/// A payload that looks packed and is not: nobody may try to unpack it.
fn gzip_magic() -> Vec<u8> {
    vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]
}

async fn reading(target: &Target) -> Outcome {
    let id = target
        .sender()?
        .send(&target.message(b"twice")?)
        .await
        .map_err(text)?;
    let receiver = target.receiver()?;
    for _ in 0..2 {
        is_true(
            "it is listed",
            receiver.inbox().await.map_err(text)?.contains(&id),
        )?;
        let message = receiver.download(&id).await.map_err(text)?;
        equal("body", message.body.as_slice(), b"twice")?;
    }
    clear(target, &id).await
}

async fn unknown_to(target: &Target) -> Outcome {
    let nobody = MailboxId::parse("NOSUCHMAILBOX1").map_err(text)?;
    let message =
        OutgoingMessage::new(nobody, target.workflow.clone(), "a letter").map_err(text)?;
    let Err(error) = target.sender()?.send(&message).await else {
        return Err("it was accepted".to_owned());
    };
    equal("status", error.status(), Some(417))?;
    equal("code", error.code().map(|code| code.as_str()), Some("12"))?;
    equal("event", error.event(), Some("SEND"))?;
    equal("disposition", error.disposition(), Disposition::Refused)?;
    is_true("it is about the message", !error.is_configuration())
}

async fn unknown_id(target: &Target) -> Outcome {
    let id = MessageId::parse("20200601122152994285_D59900").map_err(text)?;
    let receiver = target.receiver()?;
    let download = receiver.download(&id).await.map(|_| ());
    for outcome in [download, receiver.acknowledge(&id).await] {
        let Err(error) = outcome else {
            return Err("it was found".to_owned());
        };
        equal("status", error.status(), Some(404))?;
        equal("disposition", error.disposition(), Disposition::Refused)?;
    }
    Ok(())
}

async fn foreign(target: &Target) -> Outcome {
    let sender = target.sender()?;
    let id = sender
        .send(&target.message(b"not yours")?)
        .await
        .map_err(text)?;
    let outcome = sender.download(&id).await;
    clear(target, &id).await?;
    let Err(error) = outcome else {
        return Err("it was given out".to_owned());
    };
    is_true("403 or 404", matches!(error.status(), Some(403 | 404)))
}

async fn twice(target: &Target) -> Outcome {
    let id = target
        .sender()?
        .send(&target.message(b"twice")?)
        .await
        .map_err(text)?;
    clear(target, &id).await?;
    match target.receiver()?.acknowledge(&id).await {
        Ok(()) => Ok(()),
        Err(error) => is_true("404 or 410", matches!(error.status(), Some(404 | 410))),
    }
}
