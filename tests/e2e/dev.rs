//! What a developer types: `make dev`, and the README's five minutes, literally.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, kill_process_group};
use std::os::unix::process::CommandExt;

use crate::{
    client::http,
    leaks,
    stack::{self, STOP_LIMIT, are_free, free_ports, root, run_folder},
    story,
};

/// "A second start takes seconds", on a machine that does other things as well.
const SECOND_START: Duration = Duration::from_secs(30);

pub(crate) fn stories() -> Vec<Trial> {
    vec![
        story("dev: make dev starts in seconds; SIGINT and SIGTERM free both ports", make_dev),
        story("dev: the README's steps end with a verified session", readme_steps),
        story("dev: a taken port is named with what to do", taken_port),
    ]
}

async fn make_dev() {
    let state = run_folder().join("make-dev");
    for signal in [Signal::INT, Signal::TERM] {
        let ports = free_ports();
        let log =
            fs::OpenOptions::new().create(true).append(true).open(run_folder().join("make-dev.log")).unwrap();
        let mut make = Command::new("make")
            .arg("dev")
            .arg(format!("PORT={}", ports[0]))
            .arg(format!("SANDBOX_PORT={}", ports[1]))
            .arg(format!("STATE_DIR={}", state.display()))
            // As from a shell: not as a part of the make that runs these tests.
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL")
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let group = Pid::from_raw(i32::try_from(make.id()).unwrap()).unwrap();
        let ended = || {
            kill_process_group(group, Signal::TERM).ok();
        };
        let began = Instant::now();
        let limit = if signal == Signal::INT { Duration::from_secs(420) } else { SECOND_START };
        loop {
            let health = http().get(format!("http://127.0.0.1:{}/healthz", ports[0])).send().await;
            if health.is_ok_and(|answer| answer.status() == 200) {
                break;
            }
            if began.elapsed() > limit || make.try_wait().unwrap().is_some() {
                ended();
                panic!("make dev was not ready after {:?}", began.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        kill_process_group(group, signal).unwrap();
        let asked = Instant::now();
        while make.try_wait().unwrap().is_none() || !are_free(ports) {
            assert!(asked.elapsed() < STOP_LIMIT, "{signal:?}: still running after {STOP_LIMIT:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn taken_port() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let output = stack::task("dev")
        .env("PORT", &port)
        .env("SANDBOX_PORT", free_ports()[1].to_string())
        .env("STATE_DIR", run_folder().join("make-dev"))
        .env("VARIANT", "release")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains(&port) && told.contains("PORT="), "{told}");
}

async fn readme_steps() {
    let stack = stack::main();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let steps = shell_blocks(section(&readme, "Five minutes"));
    assert!(steps.len() > 1, "the README has {} steps", steps.len());
    assert!(steps[0].contains("make dev"), "the first step is make dev");
    // `make dev` is running already, on other ports; everything else is taken as it stands.
    let script = steps[1..].join("\n");
    for number in mobile_numbers(&script) {
        leaks::note("number", number);
    }
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env("ONETAP", &stack.service)
        .env("SANDBOX", &stack.sandbox)
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (told, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{complained}");
    for line in told.lines() {
        leaks::note_answer(&serde_json::from_str(line).unwrap_or_default());
    }
    let last = told.lines().last().unwrap_or_default();
    assert!(last.starts_with("verified session of acc_"), "the last line is {last}");
}

/// The text below a second-level heading that contains `title`, to the next one.
fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let mut parts = text.split("\n## ");
    parts.find(|part| part.lines().next().is_some_and(|line| line.contains(title))).unwrap_or_default()
}

/// The contents of the blocks fenced as ```sh.
fn shell_blocks(text: &str) -> Vec<&str> {
    text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn mobile_numbers(text: &str) -> Vec<&str> {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.filter_map(|run| run.get(run.len().checked_sub(11)?..)).filter(|run| run.starts_with('1')).collect()
}
