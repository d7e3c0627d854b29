//! The stories of the product over HTTP: the Worker on workerd, the carriers' sandbox, nothing mocked.
//!
//! Stacks are started when a story first needs one and shared; when all stories are told they are stopped, and what they
//! left behind is searched. Filters and flags are those of every Rust test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests: they wait, read the clock and stop at the first surprise"
)]

mod account;
mod aftermath;
mod api_keys;
mod backend;
mod browser;
mod cases;
mod client;
mod coming_back;
mod contract;
mod crash;
mod crash_binding;
mod deletion;
mod dev;
#[path = "../world/device_key.rs"]
mod device_key;
mod devices;
mod emails;
mod faults;
mod fuzz;
mod hostile;
mod idempotency;
mod identities;
mod import;
mod isolation;
mod jose;
mod leaks;
mod login;
mod money;
mod notices;
mod numbers;
mod otp;
mod passwords;
mod protection;
mod recycled;
mod rotation;
mod sandbox;
mod sessions;
mod settings;
mod stack;
mod strangers;
mod supplied;
mod tokens;
mod verifiers;

use std::{
    fs,
    process::ExitCode,
    sync::{PoisonError, RwLock},
};

use libtest_mimic::{Arguments, Trial};
use tokio::signal::unix::{SignalKind, signal};

use client::runtime;

/// Stories side by side. More would not be faster: every one keeps a service busy.
const SIDE_BY_SIDE: usize = 2;

/// Held for reading by every story, for writing by one that measures time or takes all there is.
static MACHINE: RwLock<()> = RwLock::new(());

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(SIDE_BY_SIDE);
    runtime().spawn(abandon_on_signal());
    let stories = [
        otp::stories(),
        login::stories(),
        faults::stories(),
        idempotency::stories(),
        crash::stories(),
        crash_binding::stories(),
        tokens::stories(),
        sessions::stories(),
        protection::stories(),
        devices::stories(),
        isolation::stories(),
        strangers::stories(),
        browser::stories(),
        identities::stories(),
        import::stories(),
        supplied::stories(),
        emails::stories(),
        passwords::stories(),
        account::stories(),
        deletion::stories(),
        verifiers::stories(),
        notices::stories(),
        numbers::stories(),
        recycled::stories(),
        coming_back::stories(),
        cases::stories(),
        money::stories(),
        rotation::stories(),
        backend::stories(),
        api_keys::stories(),
        contract::stories(),
        hostile::stories(),
        fuzz::stories(),
        settings::stories(),
        dev::stories(),
        otp::last_stories(),
    ];
    let told = libtest_mimic::run(&arguments, stories.into_iter().flatten().collect());
    let mut failed = told.has_failed();
    if stack::stop_shared() || arguments.list {
        failed |= libtest_mimic::run(&arguments, aftermath::stories()).has_failed();
    }
    if failed {
        eprintln!("logs and state of this run: {}", stack::run_folder().display());
        return ExitCode::from(101);
    }
    fs::remove_dir_all(stack::run_folder()).ok();
    ExitCode::SUCCESS
}

/// A story that may be told beside others.
fn story<F: Future<Output = ()>>(name: &str, tell: impl FnOnce() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let _machine = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
        runtime().block_on(tell());
        Ok(())
    })
}

/// A story that needs the machine for itself.
fn story_alone<F: Future<Output = ()>>(name: &str, tell: impl FnOnce() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let _machine = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
        runtime().block_on(tell());
        Ok(())
    })
}

async fn abandon_on_signal() {
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let mut interrupt = signal(SignalKind::interrupt()).unwrap();
    futures_util::future::select(Box::pin(terminate.recv()), Box::pin(interrupt.recv())).await;
    stack::abandon_all();
    std::process::exit(130);
}
