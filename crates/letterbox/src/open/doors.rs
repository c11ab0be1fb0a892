//! Doors and feeds, from their configuration.

use std::path::Path;

use letter_gateway::{
    Acknowledge, Begin, Entry, EntryError, Feed, Http, InboundRoute, OutcomeLine, Receiver, Webhook,
};

use super::{read, secret};
use crate::config::{
    AcknowledgeChoice, BeginChoice, FeedSection, HttpSection, InboundSection, Way,
};
use crate::exit::Exit;
use crate::platform;

/// A door over HTTP, with what it asks of those who enter.
pub(super) fn door(section: &HttpSection) -> Result<Http, Exit> {
    let wrong = |error: EntryError| {
        let listen = section.listen;
        Exit::Configuration(format!("the [[trust.http]] on {listen}: {error}"))
    };
    let token = section.token_file.as_deref();
    let token = token
        .map(|path| secret(path, "the token of the door", "write it there"))
        .transpose()?;
    let tls = match (&section.certificate, &section.key) {
        (Some(certificate), Some(key)) => Some((
            read(certificate, "the certificate of the door")?,
            secret(key, "the key of the door's certificate", "put it there")?,
        )),
        _ => None,
    };
    let clients = section.client_ca.as_deref();
    let clients = clients
        .map(|path| read(path, "the CA certificate of the door's clients"))
        .transpose()?;
    let entry = match (&token, &tls, &clients) {
        (token, Some((certificate, key)), Some(clients)) => {
            let entry = Entry::by_certificate(certificate, key.as_bytes(), clients);
            match token {
                Some(token) => entry.and_then(|entry| entry.and_token(token.as_bytes())),
                None => entry,
            }
        }
        (Some(token), Some((certificate, key)), None) => Entry::by_token(token.as_bytes())
            .and_then(|entry| entry.over_tls(certificate, key.as_bytes())),
        (token, ..) => Entry::by_token(token.as_deref().unwrap_or_default().as_bytes()),
    };
    let entry = entry.map_err(wrong)?;
    Ok(Http::new(section.source.as_str(), section.listen, entry))
}

/// Who is told what became of letters.
pub(super) fn feed(section: &FeedSection) -> Result<Feed, Exit> {
    let what = format!("the [[trust.feed]] {}", section.name);
    let mut feed = Feed::new(section.name.as_str(), receiver(&section.way(), &what)?);
    feed.sources.clone_from(&section.sources);
    feed.begin = match section.begin {
        BeginChoice::First => Begin::First,
        BeginChoice::Now => Begin::Now,
    };
    Ok(feed)
}

/// Who gets what others send to the trust.
pub(super) fn inbound(section: &InboundSection) -> Result<InboundRoute, Exit> {
    let to = receiver(&section.way(), "the [[trust.inbound]]")?;
    let mut route = InboundRoute::new(section.workflows.clone(), to);
    route.acknowledge = match section.acknowledge {
        AcknowledgeChoice::HandedOver => Acknowledge::HandedOver,
        AcknowledgeChoice::Stored => Acknowledge::Stored,
    };
    Ok(route)
}

fn receiver(way: &Way<'_>, what: &str) -> Result<Receiver, Exit> {
    if let Some(folder) = way.folder {
        platform::try_writing(folder).map_err(|error| {
            let folder = folder.display();
            Exit::Configuration(format!(
                "{what} cannot write to the folder {folder}: {error}; check that it exists and \
                 that this account may write it"
            ))
        })?;
        return Ok(Receiver::Folder(folder.to_owned()));
    }
    if let Some(address) = way.mllp {
        return Ok(Receiver::Mllp(OutcomeLine::new(address)));
    }
    let file = way.secret_file.unwrap_or_else(|| Path::new(""));
    let shared = secret(file, "the secret of the webhook", "write it there")?;
    let ca = way
        .ca
        .map(|path| read(path, "the CA certificate of the webhook"))
        .transpose()?;
    let url = way.webhook.unwrap_or_default();
    Webhook::new(url, shared.as_bytes(), ca.as_deref())
        .map(Receiver::Webhook)
        .map_err(|error| Exit::Configuration(format!("{what}: {error}")))
}
