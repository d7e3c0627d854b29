//! Brings users from a file to a running service: batch by batch, each again until it is answered.
//!
//! What was brought before is `unchanged`, so whoever was interrupted starts the same file again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell::{root, say, variable, write_private};

/// Lines in a request; a service that takes fewer gets fewer.
const LINES: usize = 100;

/// Bytes in a request, below what the service takes. A longer line goes alone.
const BYTES: usize = 200 * 1024;

/// Requests side by side.
const SIDE_BY_SIDE: usize = 4;

/// Attempts at one batch, with waits of 1 s, 2 s, ... [`LONGEST_WAIT`] between them: a quarter of an hour.
const ATTEMPTS: u32 = 20;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Imports `FILE` into the service at `ONETAP_IMPORT_URL` with the key `ONETAP_IMPORT_KEY`.
pub(crate) fn run() -> Result<()> {
    let order = Order::read(variable)?;
    let file = File::open(&order.file).with_context(|| format!("cannot open {}", order.file))?;
    let service = Service::new(&order)?;
    let pause = |wait: Duration| {
        say(&format!("not answered: once more in {} s", wait.as_secs()));
        thread::sleep(wait);
    };
    let totals = bring_all(BufReader::new(file), &|body| service.post(body), &pause)?;
    say(&totals.in_words());
    match totals.refused {
        0 => Ok(()),
        refused => bail!("{refused} lines were refused: correct them and import the same file again"),
    }
}

struct Order {
    file: String,
    url: String,
    key: String,
}

impl Order {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let usage = "usage: make import FILE=users.ndjson, with ONETAP_IMPORT_URL=https://id.example.com and \
                     ONETAP_IMPORT_KEY=oak_... (scope account:import) in the environment";
        let order = Self {
            file: variable("FILE").context(usage)?,
            url: variable("ONETAP_IMPORT_URL").context(usage)?.trim_end_matches('/').to_owned(),
            key: variable("ONETAP_IMPORT_KEY").context(usage)?,
        };
        let host = order.url.strip_prefix("http://").and_then(|rest| rest.split([':', '/']).next());
        if !order.url.starts_with("https://") && !matches!(host, Some("127.0.0.1" | "localhost")) {
            bail!("ONETAP_IMPORT_URL={} is no https URL: a key and numbers would go in clear", order.url);
        }
        if !order.key.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
            bail!("ONETAP_IMPORT_KEY is no API key");
        }
        Ok(order)
    }
}

/// Lines with their numbers in the file.
type Batch = Vec<(usize, String)>;

/// An answer, or `None` where there was none.
type Reply = Option<(u16, Value)>;

#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    imported: u64,
    unchanged: u64,
    refused: u64,
    /// What to say of the refused ones: never what they hold.
    problems: Vec<String>,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.imported = self.imported.saturating_add(other.imported);
        self.unchanged = self.unchanged.saturating_add(other.unchanged);
        self.refused = self.refused.saturating_add(other.refused);
        self.problems.extend(other.problems);
    }

    fn in_words(&self) -> String {
        format!("{} imported, {} unchanged, {} refused", self.imported, self.unchanged, self.refused)
    }
}

fn bring_all(
    file: impl BufRead,
    post: &(impl Fn(&str) -> Result<Reply> + Sync),
    pause: &(impl Fn(Duration) + Sync),
) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut lines = file.lines().zip(1..).peekable();
    while lines.peek().is_some() {
        let mut batches = Vec::new();
        while batches.len() < SIDE_BY_SIDE && lines.peek().is_some() {
            let mut batch = Batch::new();
            let mut bytes = 0_usize;
            while let Some((line, number)) = lines.next_if(|(line, _)| {
                let length = line.as_ref().map_or(0, String::len);
                batch.is_empty() || (batch.len() < LINES && bytes.saturating_add(length) < BYTES)
            }) {
                let line = line.context("the file cannot be read as UTF-8")?;
                if !line.trim().is_empty() {
                    bytes = bytes.saturating_add(line.len()).saturating_add(1);
                    batch.push((number, line));
                }
            }
            if !batch.is_empty() {
                batches.push(batch);
            }
        }
        let brought: Vec<Result<Totals>> = thread::scope(|scope| {
            let threads: Vec<_> =
                batches.iter().map(|batch| scope.spawn(move || bring(batch, post, pause))).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        if brought.len() != batches.len() {
            bail!("a batch broke off: import the same file again");
        }
        for brought in brought {
            let brought = brought?;
            brought.problems.iter().for_each(|problem| println!("{problem}"));
            totals.add(brought);
        }
        if let Some((last, _)) = batches.last().and_then(|batch| batch.last()) {
            say(&format!("line {last}: {}", totals.in_words()));
        }
    }
    Ok(totals)
}

/// Brings one batch; in halves, where the service takes no more.
fn bring(
    batch: &[(usize, String)],
    post: &impl Fn(&str) -> Result<Reply>,
    pause: &impl Fn(Duration),
) -> Result<Totals> {
    let lines: Vec<&str> = batch.iter().map(|(_, line)| line.as_str()).collect();
    let body = lines.join("\n");
    let mut wait = Duration::from_secs(1);
    for _ in 0..ATTEMPTS {
        match post(&body)? {
            Some((200, report)) => return read(batch, &report),
            None | Some((429 | 500..=599, _)) => {
                pause(wait);
                wait = wait.saturating_mul(2).min(LONGEST_WAIT);
            }
            Some((400 | 413, _)) if batch.len() > 1 => {
                let (first, rest) = batch.split_at(batch.len().div_ceil(2));
                let mut totals = bring(first, post, pause)?;
                totals.add(bring(rest, post, pause)?);
                return Ok(totals);
            }
            Some((413, _)) => {
                let problems =
                    batch.iter().map(|(number, _)| format!("line {number}: is too long")).collect();
                return Ok(Totals { refused: 1, problems, ..Totals::default() });
            }
            Some((status, problem)) => {
                let code = problem.get("code").and_then(Value::as_str).unwrap_or("no code");
                bail!("the service answered {status} ({code}): see ONETAP_IMPORT_URL and ONETAP_IMPORT_KEY");
            }
        }
    }
    bail!("the service does not answer: see to it, and import the same file again")
}

/// What the service says of a batch.
fn read(batch: &[(usize, String)], report: &Value) -> Result<Totals> {
    let count = |name: &str| report.get(name).and_then(Value::as_u64).context("the report is not understood");
    let mut totals = Totals {
        imported: count("imported")?,
        unchanged: count("unchanged")?,
        refused: count("refused")?,
        problems: Vec::new(),
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    for line in report.get("lines").and_then(Value::as_array).into_iter().flatten() {
        // In the batch there are no blank lines, so its numbers count on.
        let at = line.get("line").and_then(Value::as_u64).and_then(|line| usize::try_from(line).ok());
        let number = at.and_then(|at| batch.get(at.checked_sub(1)?)).map_or(0, |(number, _)| *number);
        for problem in line.get("problems").and_then(Value::as_array).into_iter().flatten() {
            let (name, problem) = (text(problem, "name"), text(problem, "problem"));
            totals.problems.push(format!("line {number}: {name} {problem}"));
        }
    }
    Ok(totals)
}

/// The service, by curl. The key stands in a file of our own: what stands on a command line all users of the machine
/// can read.
struct Service {
    url: String,
    secrets: PathBuf,
}

impl Service {
    fn new(order: &Order) -> Result<Self> {
        let secrets = root().join(".wrangler").join(format!("import-{}.curl", std::process::id()));
        write_private(&secrets, &format!("header = \"Authorization: Bearer {}\"\n", order.key))?;
        Ok(Self { url: format!("{}/v1/import", order.url), secrets })
    }

    fn post(&self, body: &str) -> Result<Reply> {
        let mut curl = Command::new("curl")
            .arg("--config")
            .arg(&self.secrets)
            .args(["--silent", "--max-time", "300", "--noproxy", "127.0.0.1,localhost"])
            .args(["--header", "Content-Type: application/x-ndjson", "--data-binary", "@-"])
            .args(["--write-out", "\n%{http_code}", &self.url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start curl: install it")?;
        if let Some(mut stdin) = curl.stdin.take() {
            // Should curl have ended, its status says so.
            let _ = stdin.write_all(body.as_bytes());
        }
        let output = curl.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let answer = text.rsplit_once('\n').filter(|_| output.status.success());
        let read = |(body, status): (&str, &str)| {
            Some((status.parse().ok()?, serde_json::from_str(body).unwrap_or_default()))
        };
        Ok(answer.and_then(read))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.secrets);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    /// A service that answers so in turn, and then imports whatever comes but lines that say `bad`.
    struct Played {
        answers: Mutex<Vec<Reply>>,
        most: usize,
        bodies: Mutex<Vec<String>>,
    }

    impl Played {
        fn new(answers: Vec<Reply>, most: usize) -> Self {
            Self { answers: Mutex::new(answers), most, bodies: Mutex::default() }
        }

        fn post(&self, body: &str) -> Reply {
            self.bodies.lock().unwrap().push(body.to_owned());
            let mut answers = self.answers.lock().unwrap();
            if !answers.is_empty() {
                return answers.remove(0);
            }
            let lines: Vec<&str> = body.lines().collect();
            if lines.len() > self.most {
                return Some((400, json!({"code": "invalid_request"})));
            }
            let bad = |(at, _): (usize, &&str)| {
                json!({"line": at.saturating_add(1), "status": "refused",
                    "problems": [{"name": "phone", "problem": "is another account's"}]})
            };
            let bad: Vec<Value> =
                lines.iter().enumerate().filter(|(_, line)| **line == "bad").map(bad).collect();
            let imported = lines.len().saturating_sub(bad.len());
            Some((200, json!({"imported": imported, "unchanged": 0, "refused": bad.len(), "lines": bad})))
        }

        fn bring(&self, file: &str) -> (Result<Totals>, Vec<Duration>) {
            let waits = Mutex::new(Vec::new());
            let pause = |wait| waits.lock().unwrap().push(wait);
            let totals = bring_all(file.as_bytes(), &|body| Ok(self.post(body)), &pause);
            (totals, waits.into_inner().unwrap())
        }
    }

    #[test]
    fn refusals_are_told_by_their_line_in_the_file() {
        let mut lines = vec!["good"; 950];
        (lines[3], lines[150], lines[949]) = ("", "bad", "bad");
        let service = Played::new(Vec::new(), 100);
        let totals = service.bring(&lines.join("\n")).0.unwrap();
        assert_eq!((totals.imported, totals.unchanged, totals.refused), (947, 0, 2));
        let expected = [151, 950].map(|line| format!("line {line}: phone is another account's"));
        assert_eq!(totals.problems, expected);
        assert_eq!(service.bodies.lock().unwrap().len(), 10);
    }

    #[test]
    fn the_same_lines_come_again_until_they_are_answered() {
        let limited = Some((429, json!({"code": "rate_limited"})));
        let service = Played::new(vec![None, limited, Some((503, Value::Null))], 100);
        let (totals, waits) = service.bring("one\ntwo\n");
        assert_eq!(totals.unwrap().imported, 2);
        assert_eq!(*service.bodies.lock().unwrap(), ["one\ntwo"; 4]);
        assert_eq!(waits, [1, 2, 4].map(Duration::from_secs));
        let dead = Played::new(vec![None; 20], 100);
        assert!(dead.bring("one").0.unwrap_err().to_string().contains("same file again"));
    }

    #[test]
    fn a_service_that_takes_less_gets_less() {
        let service = Played::new(Vec::new(), 30);
        let file = vec!["good"; 100].join("\n");
        assert_eq!(service.bring(&file).0.unwrap().imported, 100);
        let long = Played::new(vec![Some((413, json!({"code": "payload_too_large"})))], 100);
        let totals = long.bring("long").0.unwrap();
        assert_eq!((totals.refused, totals.problems), (1, vec!["line 1: is too long".to_owned()]));
        let locked = Played::new(vec![Some((403, json!({"code": "forbidden"})))], 100);
        assert!(locked.bring("one").0.unwrap_err().to_string().contains("403 (forbidden)"));
    }

    #[test]
    fn no_key_goes_in_clear() {
        let read = |url: &str, key: &str| {
            Order::read(|name| match name {
                "FILE" => Some("users.ndjson".to_owned()),
                "ONETAP_IMPORT_URL" => Some(url.to_owned()),
                _ => Some(key.to_owned()),
            })
        };
        for url in ["https://id.example.com/", "http://127.0.0.1:8787", "http://localhost:8787"] {
            assert_eq!(read(url, "oak_a-b").unwrap().url, url.trim_end_matches('/'));
        }
        for url in ["http://id.example.com", "http://127.0.0.1.example.com", "id.example.com"] {
            assert!(read(url, "oak_a").is_err(), "{url}");
        }
        let Err(problem) = read("https://id.example.com", "oak\"\nurl=") else { panic!("no key") };
        assert!(!problem.to_string().contains("oak"));
        assert!(Order::read(|_| None).is_err());
    }
}
