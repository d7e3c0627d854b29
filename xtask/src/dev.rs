//! `make dev`: the service under `wrangler dev` and the carrier sandbox, started together, ended together.
//!
//! Each child leads a process group of its own, so that ending the group ends its children too (wrangler's workerd),
//! and a signal from the terminal reaches only this process, which then ends both in order.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::setup;
use crate::shell::{Lock, cargo, npm_tool, root, run as run_command, say, variable, write_private};
use crate::vars::{self, Vars};
use crate::wasm::{self, Variant};

/// Long enough for a rebuild by wrangler, should a source change while everything starts.
const START_LIMIT: Duration = Duration::from_secs(300);
const STOP_LIMIT: Duration = Duration::from_secs(4);
const POLL: Duration = Duration::from_millis(50);

/// Runs until SIGINT, SIGTERM or SIGHUP (then Ok) or until a part ends by itself (then an error).
pub(crate) fn run() -> Result<()> {
    let stopping = Stopping::watch()?;
    let service = Address::from_environment("PORT", 8787)?;
    let sandbox = Address::from_environment("SANDBOX_PORT", 8788)?;
    let variant = Variant::from_environment()?;
    let tools = setup::all()?;
    wasm::build(variant, &tools)?;
    let program = sandbox_program()?;
    let state = vars::state()?;
    {
        let _lock = Lock::of_project("setup")?;
        setup::migrate(&state)?;
    }
    service.must_be_free()?;
    sandbox.must_be_free()?;

    let clock_skew = variable("CLOCK_SKEW_SECONDS").unwrap_or_else(|| "0".into());
    let vars = vars::for_run(&service.url(), &sandbox.url(), &clock_skew)?;
    let files = RunFiles::write(service.port, &vars)?;

    stopping.in_order();
    let mut parts = Parts(Vec::new());
    parts.start("sandbox", sandbox_command(&program, &sandbox, &clock_skew, &vars))?;
    parts.start("service", service_command(&service, variant, &state, &files)?)?;
    let began = Instant::now();
    let (mut ready, mut told) = (false, false);
    loop {
        if stopping.asked() {
            say("stopping");
            return Ok(());
        }
        parts.must_be_alive()?;
        if !ready && sandbox.is_healthy() && service.is_healthy() {
            ready = true;
            println!("ready: service {} sandbox {}", service.url(), sandbox.url());
        }
        if !ready && !told {
            let answer = service.health();
            if answer.contains("misconfigured") {
                told = true;
                let body = answer.split("\r\n\r\n").nth(1).unwrap_or(&answer);
                say(&format!("the service does not start with these settings: {}", body.trim()));
            }
        }
        if !ready && began.elapsed() > START_LIMIT {
            bail!(
                "the service did not answer /healthz within {} s: see its log above",
                START_LIMIT.as_secs()
            );
        }
        sleep(POLL);
    }
}

/// Whether somebody asked this process to end. While the set-up runs, asking ends it at once; later the main loop does.
struct Stopping {
    in_order: Arc<AtomicBool>,
    asked: Arc<AtomicBool>,
}

impl Stopping {
    fn watch() -> Result<Self> {
        let flags = Self { in_order: Arc::default(), asked: Arc::default() };
        let (in_order, asked) = (Arc::clone(&flags.in_order), Arc::clone(&flags.asked));
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        std::thread::spawn(move || {
            for signal in signals.forever() {
                asked.store(true, Ordering::SeqCst);
                if !in_order.load(Ordering::SeqCst) {
                    std::process::exit(128_i32.saturating_add(signal));
                }
            }
        });
        Ok(flags)
    }

    fn in_order(&self) {
        self.in_order.store(true, Ordering::SeqCst);
    }

    fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A port on the loopback interface.
struct Address {
    port: u16,
    variable: &'static str,
}

impl Address {
    fn from_environment(variable_name: &'static str, default: u16) -> Result<Self> {
        let port = match variable(variable_name) {
            None => default,
            Some(text) => text.parse().map_err(|_| anyhow!("{variable_name}={text} is no port number"))?,
        };
        Ok(Self { port, variable: variable_name })
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn must_be_free(&self) -> Result<()> {
        let Self { port, variable } = self;
        TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).map(drop).with_context(|| {
            format!("port {port} is taken: end what uses it or choose another with {variable}=...")
        })
    }

    /// What `GET /healthz` answers, head and body; empty when nobody does.
    fn health(&self) -> String {
        let ask = || -> std::io::Result<String> {
            let to = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let mut stream = TcpStream::connect_timeout(&to, Duration::from_millis(500))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            write!(
                stream,
                "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
                self.port
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().unwrap_or_default()
    }

    fn is_healthy(&self) -> bool {
        self.health().get(8..12) == Some(" 200")
    }
}

/// The running children; dropping it ends them all.
struct Parts(Vec<(&'static str, Child)>);

impl Parts {
    fn start(&mut self, name: &'static str, mut command: Command) -> Result<()> {
        command.stdin(Stdio::null()).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start the {name}"))?;
        self.0.push((name, child));
        Ok(())
    }

    fn must_be_alive(&mut self) -> Result<()> {
        for (name, child) in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                bail!("the {name} ended by itself ({status}), so everything ends: see its log above");
            }
        }
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        for (_, child) in &self.0 {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                // The group may be gone already, which is what is wanted.
                kill_process_group(group, signal).ok();
            }
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let began = Instant::now();
        while began.elapsed() < STOP_LIMIT
            && self.0.iter_mut().any(|(_, child)| matches!(child.try_wait(), Ok(None)))
        {
            sleep(POLL);
        }
        // Whatever is left, also children that outlived the leader of their group.
        self.signal(Signal::KILL);
        for (_, child) in &mut self.0 {
            child.wait().ok();
        }
    }
}

/// Files of one run, below `.wrangler/run`: outside the state folder, which holds no keys. Dropping removes them.
struct RunFiles {
    folder: PathBuf,
}

impl RunFiles {
    fn write(port: u16, vars: &Vars) -> Result<Self> {
        let files = Self { folder: root().join(".wrangler/run").join(port.to_string()) };
        write_private(&files.settings(), &vars::to_file(vars)?)?;
        Ok(files)
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("settings.env")
    }
}

impl Drop for RunFiles {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Builds the sandbox; it lands beside this program.
fn sandbox_program() -> Result<PathBuf> {
    let advice = "correct the compiler's complaints above";
    run_command(&mut cargo(&["build", "--package", "sandbox", "--bin", "sandbox"]), advice)?;
    let program = std::env::current_exe()?.with_file_name("sandbox");
    if !program.exists() {
        bail!(
            "the sandbox is not at {}: run this task through make or `cargo run --package xtask`",
            program.display()
        );
    }
    Ok(program)
}

fn sandbox_command(program: &Path, address: &Address, clock_skew: &str, vars: &Vars) -> Command {
    let mut command = Command::new(program);
    command.env("SANDBOX_PORT", address.port.to_string()).env("CLOCK_SKEW_SECONDS", clock_skew);
    if let Some(accounts) = vars.get("PROVIDER_ACCOUNTS") {
        command.env("PROVIDER_ACCOUNTS", accounts);
    }
    command
}

fn service_command(address: &Address, variant: Variant, state: &Path, files: &RunFiles) -> Result<Command> {
    let mut command = npm_tool("wrangler", &["dev"])?;
    command
        .arg(variant.entry())
        .args([
            "--local",
            "--ip",
            "127.0.0.1",
            "--inspector-port",
            "0",
            "--show-interactive-dev-session=false",
        ])
        .args(["--port", &address.port.to_string()])
        .arg("--persist-to")
        .arg(state)
        .arg("--env-file")
        .arg(files.settings())
        // Runs side by side must not see one another's Durable Objects.
        .env("WRANGLER_REGISTRY_PATH", files.folder.join("registry"));
    Ok(command)
}
