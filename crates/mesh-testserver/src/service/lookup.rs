use nhs_types::{OdsCode, WorkflowId};
use serde_json::{Value, json};

use super::Call;
use super::answers::{Problem, Reply};
use crate::state::State;

/// No match is a success with no results (mesh-api section 15).
pub(super) fn endpoints(
    state: &State,
    call: &Call,
    organisation: &str,
    workflow: &str,
) -> Result<Reply, Problem> {
    let is_v2 = call.is_v2();
    let results: Vec<Value> = match (OdsCode::parse(organisation), WorkflowId::parse(workflow)) {
        (Ok(organisation), Ok(workflow)) => {
            let found = state.store.receivers(&organisation, &workflow);
            found
                .map(|mailbox| entry(mailbox.id.as_str(), &mailbox.name, is_v2))
                .collect()
        }
        _ => Vec::new(),
    };
    if is_v2 {
        return Ok(Reply::json(200, &json!({ "results": results })));
    }
    Ok(Reply::json(
        200,
        &json!({ "query_id": "test", "results": results }),
    ))
}

fn entry(mailbox: &str, name: &str, is_v2: bool) -> Value {
    if is_v2 {
        return json!({ "mailbox_id": mailbox, "mailbox_name": name });
    }
    json!({ "address": mailbox, "description": name, "endpoint_type": "MESH" })
}
