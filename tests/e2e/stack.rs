//! A stack: service and sandbox as `make dev` runs them, on ports and a state folder of their own.
//!
//! Invariants: what a stack writes (state, log) stays below the run's folder until the aftermath has read it; a stack that
//! is dropped, or whose run is interrupted, leaves no process behind.

use std::{
    collections::HashSet,
    fs::{self, OpenOptions},
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

use crate::client;

/// The first start of a run may build a Worker.
const READY_LIMIT: Duration = Duration::from_secs(420);
/// What DX-1 promises for the ports.
pub(crate) const STOP_LIMIT: Duration = Duration::from_secs(10);
/// The line is written after the answer.
const LOG_LIMIT: Duration = Duration::from_secs(10);
const READY: &str = "ready: service";
const POLL: Duration = Duration::from_millis(20);

/// How to start a stack. Starting one recipe again is a restart: same ports, same state.
#[derive(Clone)]
pub(crate) struct Recipe {
    name: &'static str,
    variant: &'static str,
    clock_skew_seconds: i64,
    vars: Vec<(&'static str, String)>,
    ports: [u16; 2],
}

/// A running stack.
pub(crate) struct Stack {
    /// Base URL of the service.
    pub(crate) service: String,
    /// Base URL of the sandbox.
    pub(crate) sandbox: String,
    /// The folder of its KV, Durable Objects and D1.
    pub(crate) state: PathBuf,
    /// All that service and sandbox print.
    pub(crate) log: PathBuf,
    ports: [u16; 2],
    child: Mutex<Option<Child>>,
}

/// The stack that most stories share: the release build, EdDSA.
pub(crate) fn main() -> &'static Stack {
    static STACK: OnceLock<Option<Stack>> = OnceLock::new();
    shared(&STACK, || Recipe::new("main"))
}

/// The build with fault points.
pub(crate) fn test_build() -> &'static Stack {
    static STACK: OnceLock<Option<Stack>> = OnceLock::new();
    shared(&STACK, || Recipe::new("test").variant("test").var("OTP_RESEND_SECONDS", "1"))
}

/// The build with fault points whose panics unwind.
pub(crate) fn unwinding() -> &'static Stack {
    static STACK: OnceLock<Option<Stack>> = OnceLock::new();
    shared(&STACK, || {
        Recipe::new("unwind")
            .variant("test-unwind")
            .var("OTP_RESEND_SECONDS", "1")
            .var("USERNAME_BINDS_PER_DAY", "1000")
    })
}

/// Stops the shared stacks; whether there were any.
pub(crate) fn stop_shared() -> bool {
    let stacks = std::mem::take(&mut *lock(&SHARED));
    for stack in &stacks {
        stack.stop(Signal::TERM);
    }
    !stacks.is_empty()
}

/// Ends every running stack at once: somebody interrupted the run.
pub(crate) fn abandon_all() {
    for pid in lock(&RUNNING).iter() {
        kill_process_group(*pid, Signal::TERM).ok();
    }
}

/// The folder of this run.
pub(crate) fn run_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::Builder::new().prefix("onetap-e2e-").tempdir().unwrap().keep())
}

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Two ports that nobody uses.
pub(crate) fn free_ports() -> [u16; 2] {
    let listeners = [0, 0].map(|any| TcpListener::bind((Ipv4Addr::LOCALHOST, any)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// What a structured log line says; the tools around the service write other lines.
pub(crate) fn structured(line: &str) -> Option<Value> {
    serde_json::from_str(line.get(line.find('{')?..)?).ok()
}

/// The request whose end a line tells.
fn request_id(line: Value) -> Option<String> {
    line["requestId"].as_str().filter(|_| line["event"] == "request").map(str::to_owned)
}

/// Whether both ports can be bound.
pub(crate) fn are_free(ports: [u16; 2]) -> bool {
    ports.iter().all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}

/// One task of the Makefile's program, built before.
pub(crate) fn task(name: &str) -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let mut command = Command::new(PROGRAM.get_or_init(|| program("xtask", &[])));
    command.arg(name).current_dir(root()).stdin(Stdio::null());
    command
}

/// Starts a program in a process group of its own, which ends with the run at the latest.
pub(crate) fn spawn_group(command: &mut Command) -> Child {
    let child = command.process_group(0).spawn().unwrap();
    lock(&RUNNING).push(group(&child));
    child
}

/// Ends such a program.
pub(crate) fn end_group(child: &mut Child) {
    let pid = group(child);
    kill_process_group(pid, Signal::TERM).ok();
    child.wait().ok();
    lock(&RUNNING).retain(|other| *other != pid);
}

/// Builds the program of a package of the workspace, and says where it is.
pub(crate) fn program(package: &str, more: &[&str]) -> PathBuf {
    // target/debug/deps/e2e-...
    let beside = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_path_buf();
    let built = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--quiet", "--package", package, "--target-dir"])
        .arg(beside.parent().unwrap())
        .args(more)
        .current_dir(root())
        .status();
    assert!(built.unwrap().success(), "{package} does not build");
    beside.join(package)
}

impl Recipe {
    /// The release build with the development settings.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, variant: "release", clock_skew_seconds: 0, vars: Vec::new(), ports: free_ports() }
    }

    /// Another build.
    pub(crate) fn variant(self, variant: &'static str) -> Self {
        Self { variant, ..self }
    }

    /// Shifts the clocks of service and sandbox.
    pub(crate) fn clock_skew(self, clock_skew_seconds: i64) -> Self {
        Self { clock_skew_seconds, ..self }
    }

    /// Sets a setting of the service, or removes it with an empty value.
    pub(crate) fn var(mut self, name: &'static str, value: &str) -> Self {
        self.vars.retain(|(other, _)| *other != name);
        self.vars.push((name, value.to_owned()));
        self
    }

    /// Where its sandbox will listen.
    pub(crate) fn sandbox_port(&self) -> u16 {
        self.ports[1]
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(&self) -> Stack {
        let earlier = fs::read_to_string(self.log()).unwrap_or_default().matches(READY).count();
        let stack = self.launch();
        stack.wait("is not ready", READY_LIMIT, |stack| stack.log_text().matches(READY).count() > earlier);
        stack
    }

    /// Starts it and does not wait.
    pub(crate) fn launch(&self) -> Stack {
        let log = self.log();
        let state = run_folder().join(self.name);
        let output = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let [service, sandbox] = self.ports;
        let mut command = task("dev");
        command
            .env("PORT", service.to_string())
            .env("SANDBOX_PORT", sandbox.to_string())
            .env("STATE_DIR", &state)
            .env("CLOCK_SKEW_SECONDS", self.clock_skew_seconds.to_string())
            .env("VARIANT", self.variant)
            .stdout(output.try_clone().unwrap())
            .stderr(output);
        for (name, value) in &self.vars {
            command.env(format!("ONETAP_VAR_{name}"), value);
        }
        let child = spawn_group(&mut command);
        Stack {
            service: format!("http://127.0.0.1:{service}"),
            sandbox: format!("http://127.0.0.1:{sandbox}"),
            state,
            log,
            ports: self.ports,
            child: Mutex::new(Some(child)),
        }
    }

    fn log(&self) -> PathBuf {
        run_folder().join(format!("{}.log", self.name))
    }
}

impl Stack {
    /// Ends the stack with a signal to its process group and says how long it took until both ports were free.
    pub(crate) fn stop(&self, signal: Signal) -> Duration {
        self.wait_for_lines();
        let began = Instant::now();
        let Some(mut child) = lock(&self.child).take() else { return Duration::ZERO };
        let pid = group(&child);
        kill_process_group(pid, signal).ok();
        while child.try_wait().unwrap().is_none() || !are_free(self.ports) {
            assert!(began.elapsed() < STOP_LIMIT, "ports still in use after {STOP_LIMIT:?}: {:?}", self.log);
            sleep(POLL);
        }
        lock(&RUNNING).retain(|other| *other != pid);
        began.elapsed()
    }

    /// Kills it with all its processes, in the middle of whatever they do.
    pub(crate) fn kill(&self) {
        self.wait_for_lines();
        let Some(mut child) = lock(&self.child).take() else { return };
        let first = group(&child);
        // They have process groups of their own, so that a signal reaches them in order; this one comes at once.
        for pid in with_descendants(first) {
            kill_process(pid, Signal::KILL).ok();
        }
        child.wait().ok();
        let began = Instant::now();
        while !are_free(self.ports) {
            assert!(began.elapsed() < STOP_LIMIT, "ports still in use after {STOP_LIMIT:?}: {:?}", self.log);
            sleep(POLL);
        }
        lock(&RUNNING).retain(|other| *other != first);
    }

    /// Waits until the line of every request answered so far is written, which a busy machine does later; the aftermath
    /// counts them.
    fn wait_for_lines(&self) {
        let began = Instant::now();
        let mut missing: Vec<String> =
            client::answered().into_iter().filter(|(log, _)| *log == self.log).map(|(_, id)| id).collect();
        while lock(&self.child).is_some() {
            let text = self.log_text();
            let written: HashSet<String> =
                text.lines().filter_map(structured).filter_map(request_id).collect();
            missing.retain(|id| !written.contains(id));
            if missing.is_empty() || began.elapsed() > LOG_LIMIT {
                break;
            }
            sleep(POLL);
        }
    }

    /// All that service and sandbox printed so far.
    pub(crate) fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The log line of a request, once it is written.
    pub(crate) async fn log_line(&self, request_id: &str) -> Value {
        let began = Instant::now();
        loop {
            let text = self.log_text();
            if let Some(line) = text.lines().filter(|line| line.contains(request_id)).find_map(structured) {
                return line;
            }
            assert!(began.elapsed() < LOG_LIMIT, "no log line of {request_id} in {:?}", self.log);
            tokio::time::sleep(POLL).await;
        }
    }

    /// Polls until something holds; panics with the end of the log when it does not in time, or the stack ends.
    pub(crate) fn wait(&self, what: &str, limit: Duration, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            let ended = lock(&self.child).as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)));
            if ended || began.elapsed() > limit {
                let text = self.log_text();
                let tail: Vec<&str> = text.lines().rev().take(15).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                panic!("{:?} {what}; ended: {ended}\n{}", self.log, tail.join("\n"));
            }
            sleep(POLL);
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop(Signal::TERM);
        } else if let Some(mut child) = lock(&self.child).take() {
            kill_process_group(group(&child), Signal::TERM).ok();
            child.wait().ok();
        }
    }
}

static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
static SHARED: Mutex<Vec<&'static Stack>> = Mutex::new(Vec::new());

/// The stack of a cell, started when a story first needs it, stopped after the last one.
pub(crate) fn shared(cell: &'static OnceLock<Option<Stack>>, recipe: impl Fn() -> Recipe) -> &'static Stack {
    let stack =
        cell.get_or_init(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| recipe().start())).ok());
    let stack = stack.as_ref().unwrap_or_else(|| panic!("the stack did not start: see the first failure"));
    let mut all = lock(&SHARED);
    if !all.iter().any(|other| std::ptr::eq(*other, stack)) {
        all.push(stack);
    }
    stack
}

fn group(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}

/// A process and all that come from it.
fn with_descendants(first: Pid) -> Vec<Pid> {
    let parent_of = |pid: i32| -> Option<i32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Name in brackets, state, parent.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let all: Vec<i32> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    let mut found = vec![first];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        let children = all.iter().filter(|pid| parent_of(**pid) == Some(parent.as_raw_nonzero().get()));
        found.extend(children.filter_map(|pid| Pid::from_raw(*pid)));
        at += 1;
    }
    found
}

/// A lock whose holder failed is taken all the same: one failed story must not fail the others.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
