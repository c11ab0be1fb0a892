//! One file for each command.

mod affected;
mod audit;
mod check;
mod init;
mod letter;
mod mesh;
mod ods;
mod route;
mod run;
pub(crate) mod status;
mod stop;
mod store;

use crate::cli::{Arguments, AuditCommand, Command};
use crate::config::Config;
use crate::exit::Exit;

pub(crate) use audit::verified;
pub(crate) use init::init;
pub(crate) use ods::import;
pub(crate) use run::now;

/// What every command may need to know.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) json: bool,
    pub(crate) trust: Option<String>,
}

/// Two commands talk to people only.
fn no_json(context: &Context, command: &str) -> Result<(), Exit> {
    if context.json {
        return Err(Exit::Configuration(format!(
            "`{command}` has no answer in JSON"
        )));
    }
    Ok(())
}

/// Carries out the command that was asked for.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Exit> {
    let context = Context {
        json: arguments.json,
        trust: arguments.trust,
    };
    let config = || Config::read(&arguments.config);
    match arguments.command {
        Command::Demo { keep } => {
            no_json(&context, "demo")?;
            crate::demo::demo(keep).await
        }
        Command::Init { dir } => {
            no_json(&context, "init")?;
            init(&dir, None).map(drop)
        }
        Command::Check => check::check(&config()?, &context).await,
        Command::Run { once } => run::run(&config()?, &context, once).await,
        Command::Letter(command) => letter::letter(&arguments.config, &context, command).await,
        Command::Ods(command) => ods::ods(&config()?, &context, command).await,
        Command::Route { case } => route::route(&arguments.config, &context, &case),
        Command::Status(filter) => status::status(&config()?, &context, filter).await,
        Command::Stop(command) => stop::stop(&config()?, &context, command).await,
        Command::Affected(what) => affected::affected(&config()?, &context, what).await,
        Command::Worklist => status::worklist(&config()?, &context).await,
        // It runs under an account that knows no configuration.
        Command::Audit(AuditCommand::Signer(arguments)) => audit::signer(&arguments),
        Command::Audit(command) => audit::audit(&config()?, &context, command).await,
        Command::Store(command) => store::store(&config()?, &context, command).await,
        Command::Mesh(command) => mesh::mesh(&config()?, &context, command).await,
    }
}
