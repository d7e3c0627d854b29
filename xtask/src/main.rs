//! The tasks behind the Makefile. `make help` lists them; each one ends with 0 or says what went wrong and what to do.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool prints")]

mod api_key;
mod checks;
mod dev;
mod import;
mod secrets;
mod setup;
mod shell;
mod vars;
mod wasm;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
make setup      everything the other targets need; each of them calls it by itself
make dev        service and carrier sandbox on this machine, until Ctrl-C
                PORT=8787 SANDBOX_PORT=8788 STATE_DIR=.wrangler/state CLOCK_SKEW_SECONDS=0
make test       set-up, lint, host tests, Wasm builds, end-to-end tests, size gate
make build      the Worker, if a source changed
                PANIC=unwind (nightly: a panic ends one request, not the isolate)
make lint       formatting and clippy for host and Wasm
make size       refuse a Worker above 600 kB compressed
make api-key    a new API key: NAME=backend SCOPES=\"one_tap:exchange phone:read\"
                MODE=test PER_MINUTE=600 PER_MONTH=1000000 APPS=shop ROLE=backend
                STATE_DIR=.wrangler/state, or REMOTE=1 for production
make import     users from elsewhere: FILE=users.ndjson, with ONETAP_IMPORT_URL and ONETAP_IMPORT_KEY set
make secrets    fresh secrets for production, as JSON";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    match perform(&task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: &str) -> Result<()> {
    match task {
        "" | "help" => println!("{HELP}"),
        "setup" => {
            setup::all()?;
            shell::say("ready");
        }
        "build" => wasm::build(wasm::Variant::from_environment()?, &setup::all()?)?,
        "dev" => dev::run()?,
        "test" => checks::test()?,
        "lint" => checks::lint()?,
        "size" => checks::size()?,
        "api-key" => api_key::create()?,
        "import" => import::run()?,
        "secrets" => secrets::print_production()?,
        other => bail!("no task `{other}`; `make help` lists them"),
    }
    Ok(())
}
