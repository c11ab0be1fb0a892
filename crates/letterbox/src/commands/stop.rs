//! `stop set|lift|list`: nothing that shares a fault is sent until somebody lifts the stop.

use letter_delivery::{Reason, Scope, Stop, StopError, Store as _};
use serde_json::{Value, json};

use super::status::time;
use super::{Context, now};
use crate::cli::StopCommand;
use crate::config::Config;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::output::{complain, say, say_json, table};

pub(super) async fn stop(
    config: &Config,
    context: &Context,
    command: StopCommand,
) -> Result<(), Exit> {
    match command {
        StopCommand::Set { scope, reason } => set(config, context, &scope.scope(), &reason).await,
        StopCommand::Lift { id, reason } => lift(config, context, id, &reason).await,
        StopCommand::List { lifted } => list(config, context, lifted).await,
    }
}

/// Each trust by itself: one that cannot be stopped keeps no other from being stopped.
async fn set(
    config: &Config,
    context: &Context,
    scope: &Scope,
    reason: &Reason,
) -> Result<(), Exit> {
    let mut gravest: Option<Exit> = None;
    for trust in config.trusts(context.trust.as_deref())? {
        let done = async {
            let mut desk = Desk::open(config, trust).await?;
            set_one(&mut desk, context, scope, reason).await
        };
        if let Err(exit) = done.await {
            gravest = Some(exit.of(trust.code.as_str()).or_graver(gravest));
        }
    }
    gravest.map_or(Ok(()), Err)
}

async fn set_one(
    desk: &mut Desk<'_>,
    context: &Context,
    scope: &Scope,
    reason: &Reason,
) -> Result<(), Exit> {
    let set = desk.change_stops(|engine, by, stops| {
        engine.set_stop(now(), by, stops, scope.clone(), reason.clone())
    });
    match set.await? {
        Ok(stop) => show(desk, context, &stop),
        // Whoever calls twice in a hurry is not told that it failed.
        Err(StopError::StandsAlready { id }) => {
            let stops = desk.store.stops().await?;
            complain(&format!("{}: stop {id} stood already", desk.trust.code));
            let stands = stops.standing().find(|stop| stop.id == id);
            stands.map_or(Ok(()), |stop| show(desk, context, stop))
        }
        Err(error) => Err(error.into()),
    }
}

async fn lift(config: &Config, context: &Context, id: u32, reason: &Reason) -> Result<(), Exit> {
    let trust = config.one_trust(context.trust.as_deref())?;
    let mut desk = Desk::open(config, trust).await?;
    let lifted = desk
        .change_stops(|engine, by, stops| engine.lift_stop(now(), by, stops, id, reason.clone()));
    match lifted.await? {
        Ok(stop) => show(&desk, context, &stop),
        Err(error) => Err(error.into()),
    }
}

async fn list(config: &Config, context: &Context, lifted: bool) -> Result<(), Exit> {
    let mut rows = Vec::new();
    for trust in config.trusts(context.trust.as_deref())? {
        let desk = Desk::open(config, trust).await?;
        let stops = desk.store.stops().await?;
        for stop in stops.all().iter().filter(|stop| lifted || stop.stands()) {
            if context.json {
                say_json(&value(&desk, stop))?;
            }
            rows.push(row(&desk, stop));
        }
    }
    if context.json {
        return Ok(());
    }
    if rows.is_empty() {
        return say("no stop stands");
    }
    let heads = ["trust", "stop", "stops", "reason", "set", "lifted"];
    table(&heads, &rows).iter().try_for_each(|row| say(row))
}

fn show(desk: &Desk<'_>, context: &Context, stop: &Stop) -> Result<(), Exit> {
    if context.json {
        return say_json(&value(desk, stop));
    }
    let (code, id, scope) = (&desk.trust.code, stop.id, &stop.scope);
    match &stop.lifted {
        None => say(&format!(
            "{code}: stop {id} stands: nothing of this is sent: {scope} ({})",
            stop.reason
        )),
        Some(lift) => say(&format!(
            "{code}: stop {id} is lifted ({}): what it held back goes on: {scope}",
            lift.reason
        )),
    }
}

fn value(desk: &Desk<'_>, stop: &Stop) -> Value {
    let mut value = json!({
        "trust": desk.trust.code.as_str(),
        "stop": stop.id,
        "stands": stop.stands(),
        "all": stop.scope.is_all(),
        "scope": stop.scope,
        "reason": stop.reason.as_str(),
        "set_at": time(stop.set_at),
        "set_by": stop.set_by.to_string(),
    });
    if let (Some(lift), Value::Object(members)) = (&stop.lifted, &mut value) {
        members.insert("lifted_at".to_owned(), time(lift.at).into());
        members.insert("lifted_by".to_owned(), lift.by.to_string().into());
        members.insert("lift_reason".to_owned(), lift.reason.as_str().into());
    }
    value
}

fn row(desk: &Desk<'_>, stop: &Stop) -> Vec<String> {
    let lifted = stop.lifted.as_ref();
    vec![
        desk.trust.code.to_string(),
        stop.id.to_string(),
        stop.scope.to_string(),
        stop.reason.to_string(),
        time(stop.set_at),
        lifted.map(|lift| time(lift.at)).unwrap_or_default(),
    ]
}

impl From<StopError> for Exit {
    fn from(error: StopError) -> Self {
        Self::Wanting(error.to_string())
    }
}
