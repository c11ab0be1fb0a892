use mesh_client::{Client, Credentials, Disposition, Error, Secret};

use super::{CaseResult, Outcome, Target, case, equal, is_true, text};

pub(super) async fn run(target: &Target, results: &mut Vec<CaseResult>) {
    case(results, "handshake succeeds (section 6)", handshake(target)).await;
    case(
        results,
        "handshake tells the service's clock (section 4)",
        clock(target),
    )
    .await;
    case(
        results,
        "each request has its own token (section 4)",
        tokens(target),
    )
    .await;
    case(
        results,
        "a wrong password is refused with 403 (section 4)",
        password(target),
    )
    .await;
    case(
        results,
        "a wrong shared key is refused with 403 (section 4)",
        key(target),
    )
    .await;
    case(
        results,
        "a clock three hours off is refused with 403 (section 4)",
        skew(target),
    )
    .await;
    case(
        results,
        "no client certificate: refused (section 2)",
        no_certificate(target),
    )
    .await;
    case(
        results,
        "a stranger's certificate: refused (section 2)",
        stranger(target),
    )
    .await;
}

async fn handshake(target: &Target) -> Outcome {
    target.sender()?.handshake().await.map_err(text)?;
    target.receiver()?.handshake().await.map_err(text)
}

async fn clock(target: &Target) -> Outcome {
    let client = target.sender()?;
    client.handshake().await.map_err(text)?;
    match client.clock_skew() {
        Some(skew) => is_true(
            "the clocks differ by less than a minute",
            skew.num_seconds().abs() < 60,
        ),
        None => Err("the answer has no Date".to_owned()),
    }
}

async fn tokens(target: &Target) -> Outcome {
    let client = target.sender()?;
    for _ in 0..5 {
        client.handshake().await.map_err(text)?;
    }
    Ok(())
}

async fn password(target: &Target) -> Outcome {
    let wrong = Secret::new("not the password");
    forbidden(target, wrong, None).await
}

async fn key(target: &Target) -> Outcome {
    forbidden(
        target,
        Secret::new("password"),
        Some(Secret::new("not the key")),
    )
    .await
}

async fn forbidden(target: &Target, password: Secret, key: Option<Secret>) -> Outcome {
    let mailbox = target.a.mailbox().clone();
    let key = key.unwrap_or_else(|| Secret::new("TestKey"));
    let client = target.client(&Credentials::new(mailbox, password, key))?;
    refused_with_403(&client).await
}

async fn skew(target: &Target) -> Outcome {
    let late = || "2001-01-01T00:00:00Z".parse().unwrap_or_default();
    let builder = target.builder(&target.a).identity(target.identity.clone());
    refused_with_403(&builder.clock(late).build().map_err(text)?).await
}

async fn refused_with_403(client: &Client) -> Outcome {
    let Err(error) = client.handshake().await else {
        return Err("it was accepted".to_owned());
    };
    equal("status", error.status(), Some(403))?;
    equal("disposition", error.disposition(), Disposition::Refused)?;
    is_true("it is about the configuration", error.is_configuration())
}

async fn no_certificate(target: &Target) -> Outcome {
    not_connected(&target.builder(&target.a).build().map_err(text)?).await
}

async fn stranger(target: &Target) -> Outcome {
    let Some(stranger) = &target.stranger else {
        return Ok(());
    };
    let builder = target.builder(&target.a).identity(stranger.clone());
    not_connected(&builder.build().map_err(text)?).await
}

/// The certificate is to blame, unless the connection was reset before its alert was read.
async fn not_connected(client: &Client) -> Outcome {
    match client.handshake().await {
        Err(Error::Certificate { .. } | Error::Lost { .. } | Error::Unreachable { .. }) => Ok(()),
        Err(other) => Err(format!("refused in another way: {other}")),
        Ok(()) => Err("it was accepted".to_owned()),
    }
}
