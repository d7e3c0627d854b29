//! The simulator as a process: configuration from the environment, loopback only, ends at once on SIGINT or SIGTERM.

use std::{io, net::Ipv4Addr, process::ExitCode, sync::Arc};

use axum::serve::ListenerExt;
use sandbox::{Config, World, router};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(problems) => return fail(&problems.join("\n")),
    };
    let port = config.port;
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("port {port}: {error}")),
    }
}

async fn run(config: Config) -> io::Result<()> {
    // Before the port is bound, so that a signal is never lost once somebody can see us.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).await?.tap_io(|stream| {
        // Answers are small and somebody waits for each of them.
        let _ = stream.set_nodelay(true);
    });
    let app = router(Arc::new(World::new(config)));
    // Not axum's graceful shutdown: it would wait for the requests that are meant to hang.
    tokio::select! {
        served = axum::serve(listener, app) => served,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

#[expect(clippy::print_stderr, reason = "the only way to tell why the process did not start")]
fn fail(problem: &str) -> ExitCode {
    eprintln!("sandbox: {problem}");
    ExitCode::FAILURE
}
