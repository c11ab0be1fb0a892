use nhs_types::{OdsCode, WorkflowId};

use super::{CaseResult, Outcome, Target, case, equal, text};

pub(super) async fn run(target: &Target, results: &mut Vec<CaseResult>) {
    case(
        results,
        "a lookup finds the one mailbox (section 15)",
        one(target),
    )
    .await;
    case(
        results,
        "a lookup without a match is empty (section 15)",
        none(target),
    )
    .await;
}

async fn one(target: &Target) -> Outcome {
    let sender = target.sender()?;
    let found = sender
        .lookup(&target.organisation, &target.workflow)
        .await
        .map_err(text)?;
    let mailboxes: Vec<_> = found.iter().map(|endpoint| &endpoint.mailbox).collect();
    equal("mailboxes", mailboxes, vec![target.b.mailbox()])
}

async fn none(target: &Target) -> Outcome {
    let nobody = OdsCode::parse("ZZ99").map_err(text)?;
    let nothing = WorkflowId::parse("NO_SUCH_WORKFLOW").map_err(text)?;
    let sender = target.sender()?;
    for (organisation, workflow) in [
        (&nobody, &target.workflow),
        (&target.organisation, &nothing),
    ] {
        let found = sender.lookup(organisation, workflow).await.map_err(text)?;
        equal("mailboxes", found.len(), 0)?;
    }
    Ok(())
}
