//! Sends one file many times with our client: `race-mesh FILE COUNT`.
//!
//! Our side of `cargo xtask race mesh`; the sandbox's settings come from the environment. Prints
//! the peak of its memory at the end.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write;

use mesh_client::{
    Client, Credentials, LocalId, OutgoingMessage, Secret, TlsIdentity, TrustAnchors,
};
use nhs_types::{MailboxId, WorkflowId};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: race-mesh FILE COUNT".into());
    };
    let letter = std::fs::read(file)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(send(&letter, count.parse()?))?;
    writeln!(std::io::stdout(), "{{\"peak_kb\": {}}}", peak_kb()?)?;
    Ok(())
}

async fn send(letter: &[u8], count: u64) -> Result<(), Box<dyn Error>> {
    let client = client()?;
    let to = MailboxId::parse("X26ABC2")?;
    let workflow = WorkflowId::parse("TEST_WORKFLOW")?;
    let mut ids = BTreeSet::new();
    for number in 0..count {
        let message = OutgoingMessage::new(to.clone(), workflow.clone(), letter.to_vec())?
            .with_local_id(LocalId::parse(&format!("L{number:020}"))?);
        ids.insert(client.send(&message).await?.to_string());
    }
    let answered = u64::try_from(ids.len())?;
    if answered != count {
        return Err(format!("{answered} ids for {count} letters").into());
    }
    Ok(())
}

fn client() -> Result<Client, Box<dyn Error>> {
    let mailbox = MailboxId::parse(&setting("MESH_MAILBOX")?)?;
    let password = Secret::new(setting("MESH_PASSWORD")?);
    let credentials = Credentials::new(mailbox, password, Secret::new(setting("MESH_SHARED_KEY")?));
    let certificate = std::fs::read(setting("MESH_CLIENT_CERT")?)?;
    let key = std::fs::read(setting("MESH_CLIENT_KEY")?)?;
    let authority = std::fs::read(setting("MESH_CA")?)?;
    let client = Client::builder(&setting("MESH_URL")?, credentials)
        .identity(TlsIdentity::from_pem(&certificate, &key)?)
        .trust(TrustAnchors::from_pem(&authority)?)
        .build()?;
    Ok(client)
}

fn setting(name: &str) -> Result<String, Box<dyn Error>> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

fn peak_kb() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.and_then(|line| line.split_whitespace().next());
    Ok(figure.ok_or("no VmHWM in /proc/self/status")?.parse()?)
}
