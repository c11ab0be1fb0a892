//! `mesh …`: the MESH API by hand.

use std::fs;
use std::path::Path;

use mesh_client::{
    Client, LocalId, LocalIdTracking, MessageId, MessageKind, OutgoingMessage, ReceivedMessage,
    Tracking,
};
use nhs_types::{MailboxId, OdsCode, WorkflowId};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::Context;
use crate::cli::MeshCommand;
use crate::config::Config;
use crate::exit::Exit;
use crate::open;
use crate::output::{say, say_json};

pub(super) async fn mesh(
    config: &Config,
    context: &Context,
    command: MeshCommand,
) -> Result<(), Exit> {
    let trust = config.one_trust(context.trust.as_deref())?;
    let client = open::mesh_client(config, trust)?;
    match command {
        MeshCommand::Handshake => handshake(&client, context).await,
        MeshCommand::Send {
            to,
            workflow,
            local_id,
            content_type,
            file,
        } => {
            let message = outgoing(&to, &workflow, local_id.as_deref(), &content_type, &file)?;
            let id = client.send(&message).await?;
            answer(context, id.as_str(), json!({"message_id": id.as_str()}))
        }
        MeshCommand::Inbox => inbox(&client, context).await,
        MeshCommand::Get { id, out } => get(&client, context, &id, &out).await,
        MeshCommand::Ack { id } => {
            client.acknowledge(&message_id(&id)?).await?;
            answer(
                context,
                &format!("{id} acknowledged"),
                json!({"acknowledged": id}),
            )
        }
        MeshCommand::Track { id, local_id } => track(&client, context, id, local_id).await,
        MeshCommand::Lookup { ods, workflow } => lookup(&client, context, &ods, &workflow).await,
    }
}

fn answer(context: &Context, text: &str, value: Value) -> Result<(), Exit> {
    if context.json {
        say_json(&value)
    } else {
        say(text)
    }
}

fn wrong(what: &str, why: &dyn std::fmt::Display) -> Exit {
    Exit::Configuration(format!("{what}: {why}"))
}

fn message_id(id: &str) -> Result<MessageId, Exit> {
    MessageId::parse(id).map_err(|error| wrong(id, &error))
}

async fn handshake(client: &Client, context: &Context) -> Result<(), Exit> {
    client.handshake().await?;
    let mailbox = client.mailbox();
    answer(
        context,
        &format!("{mailbox}: the handshake succeeded"),
        json!({"mailbox": mailbox}),
    )
}

fn outgoing(
    to: &str,
    workflow: &str,
    local_id: Option<&str>,
    content_type: &str,
    file: &Path,
) -> Result<OutgoingMessage, Exit> {
    let to = MailboxId::parse(to).map_err(|error| wrong("--to", &error))?;
    let workflow = WorkflowId::parse(workflow).map_err(|error| wrong("--workflow", &error))?;
    let body = fs::read(file)
        .map_err(|error| wrong(&format!("cannot read {}", file.display()), &error))?;
    let mut message = OutgoingMessage::new(to, workflow, body)
        .and_then(|message| message.with_content_type(content_type))
        .map_err(mesh_client::Error::from)?;
    if let Some(id) = local_id {
        let id = LocalId::parse(id).map_err(|error| wrong("--local-id", &error))?;
        message = message.with_local_id(id);
    }
    Ok(message)
}

async fn inbox(client: &Client, context: &Context) -> Result<(), Exit> {
    let ids = client.inbox().await?;
    if context.json {
        return ids
            .iter()
            .try_for_each(|id| say_json(&json!({"message_id": id.as_str()})));
    }
    if ids.is_empty() {
        return say("nothing waits");
    }
    ids.iter().try_for_each(|id| say(id.as_str()))
}

async fn get(client: &Client, context: &Context, id: &str, out: &Path) -> Result<(), Exit> {
    let message = client.download(&message_id(id)?).await?;
    write_whole(out, &message.body)
        .map_err(|error| Exit::Unavailable(format!("cannot write {}: {error}", out.display())))?;
    if context.json {
        return say_json(&Value::Object(members(&message)));
    }
    let kind = message.report().map_or_else(
        || "content".to_owned(),
        |report| format!("a report: {} {}", report.code.as_str(), report.description),
    );
    say(&format!(
        "{id}: {kind}, {} bytes to {}",
        message.body.len(),
        out.display()
    ))?;
    say("it stays in the mailbox until `letterbox mesh ack`")
}

/// Never half a file under its final name.
fn write_whole(out: &Path, body: &[u8]) -> std::io::Result<()> {
    let mut beside = out.as_os_str().to_owned();
    beside.push(".part");
    fs::write(&beside, body)?;
    fs::File::open(&beside)?.sync_all()?;
    fs::rename(&beside, out)
}

/// The message's headers as a flat object, with what is known of the content (design section 8).
fn members(message: &ReceivedMessage) -> Map<String, Value> {
    let mut members: Map<String, Value> = message
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let digest: String = Sha256::digest(&message.body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    members.insert("bytes".to_owned(), json!(message.body.len()));
    members.insert("sha256".to_owned(), json!(digest));
    match &message.kind {
        MessageKind::Data => {
            members.insert("kind".to_owned(), json!("data"));
        }
        MessageKind::Report(report) => {
            let linked = report.linked_message_id.as_ref().map(MessageId::as_str);
            let local = report.local_id.as_ref().map(LocalId::as_str);
            for (name, value) in [
                ("kind", json!("report")),
                ("linked_message_id", json!(linked)),
                ("local_id", json!(local)),
                ("code", json!(report.code.as_str())),
                ("event", json!(report.event)),
                ("description", json!(report.description)),
            ] {
                members.insert(name.to_owned(), value);
            }
        }
    }
    members
}

async fn track(
    client: &Client,
    context: &Context,
    id: Option<String>,
    local_id: Option<String>,
) -> Result<(), Exit> {
    let found = match (id, local_id) {
        (Some(id), _) => client.track(&message_id(&id)?).await?,
        (None, Some(local_id)) => {
            let local_id =
                LocalId::parse(&local_id).map_err(|error| wrong("--local-id", &error))?;
            match client.track_local(&local_id).await? {
                LocalIdTracking::Found(tracking) => Some(tracking),
                LocalIdTracking::NotFound => None,
                LocalIdTracking::Several => {
                    return Err(Exit::Wanting(
                        "several messages have this local id".to_owned(),
                    ));
                }
            }
        }
        (None, None) => return Err(Exit::Configuration("name a message".to_owned())),
    };
    let Some(tracking) = found else {
        return Err(Exit::Wanting(
            "MESH knows no such message of this mailbox".to_owned(),
        ));
    };
    tracked(context, &tracking)
}

fn tracked(context: &Context, tracking: &Tracking) -> Result<(), Exit> {
    let status = format!("{:?}", tracking.status).to_lowercase();
    let recipient = tracking.recipient.as_ref().map(ToString::to_string);
    let at = tracking.status_at.map(super::status::time);
    let text = format!(
        "{}: {status}, to {}, since {}",
        tracking.message_id.as_str(),
        recipient.as_deref().unwrap_or("?"),
        at.as_deref().unwrap_or("?")
    );
    let value = json!({
        "message_id": tracking.message_id.as_str(), "status": status, "recipient": recipient,
        "status_at": at, "local_id": tracking.local_id.as_ref().map(LocalId::as_str),
        "code": tracking.status_code.as_ref().map(|code| code.as_str()),
        "description": tracking.description,
    });
    answer(context, &text, value)
}

async fn lookup(client: &Client, context: &Context, ods: &str, workflow: &str) -> Result<(), Exit> {
    let ods = OdsCode::parse(ods).map_err(|error| wrong(ods, &error))?;
    let workflow = WorkflowId::parse(workflow).map_err(|error| wrong(workflow, &error))?;
    let endpoints = client.lookup(&ods, &workflow).await?;
    if endpoints.is_empty() {
        return Err(Exit::Wanting(format!(
            "no mailbox of {ods} takes {workflow}"
        )));
    }
    endpoints.iter().try_for_each(|endpoint| {
        let name = endpoint.name.as_deref().unwrap_or_default();
        let text = format!("{} {name}", endpoint.mailbox);
        answer(
            context,
            text.trim_end(),
            json!({"mailbox_id": endpoint.mailbox, "mailbox_name": name}),
        )
    })
}
