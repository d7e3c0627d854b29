//! The gates of `make test`, in the order of what fails soonest.

use anyhow::Result;

use crate::setup;
use crate::shell::{cargo, run, say};
use crate::wasm::{self, Variant};

/// Everything a change must pass.
pub(crate) fn test() -> Result<()> {
    let tools = setup::all()?;
    setup::browser()?;
    lint_only()?;
    say("host tests");
    run(&mut cargo(&["test", "--workspace"]), "correct the failing tests above")?;
    for variant in [Variant::from_environment()?, Variant::TEST, Variant::TEST_UNWIND] {
        wasm::build(variant, &tools)?;
    }
    say("end-to-end tests");
    run(&mut cargo(&["test", "--features", "e2e", "--test", "e2e"]), "correct the failing tests above")?;
    wasm::size()
}

/// Formatting and clippy, for the host and for the Worker's target with and without the fault points.
pub(crate) fn lint() -> Result<()> {
    setup::all()?;
    lint_only()
}

/// The size gate alone; wrangler brings the build up to date by itself.
pub(crate) fn size() -> Result<()> {
    setup::all()?;
    wasm::size()
}

fn lint_only() -> Result<()> {
    const WASM: [&str; 6] = ["clippy", "--package", "onetap", "--lib", "--target", "wasm32-unknown-unknown"];
    const DENY: [&str; 3] = ["--", "-D", "warnings"];
    let advice = "correct the complaints above";
    setup::lint_tools()?;
    say("formatting");
    run(&mut cargo(&["fmt", "--all", "--check"]), "run `cargo fmt --all`")?;
    say("clippy, host");
    run(cargo(&["clippy", "--workspace", "--all-targets", "--all-features"]).args(DENY), advice)?;
    say("clippy, wasm32");
    run(cargo(&WASM).args(DENY), advice)?;
    run(cargo(&WASM).args(["--features", "test-hooks"]).args(DENY), advice)
}
