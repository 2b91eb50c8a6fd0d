//! The binary itself, as the operator has it: commands that are run, and a server that is started and stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::{AppOptions, ResourceServer, TestDatabase};

/// Longer than anything takes here: who waits so long has found a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// `jeton` with a database of its own and nothing else in its environment.
pub struct Jeton {
    pub database: TestDatabase,
    settings: Vec<(String, String)>,
}

impl Jeton {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With these settings, by the names of the settings table.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(TestDatabase::new(), settings)
    }

    /// With this database and these settings.
    pub fn on(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let settings = settings
            .iter()
            .map(|(name, value)| (variable(name), (*value).to_owned()));
        Self {
            database,
            settings: settings.collect(),
        }
    }

    /// Where the binary is.
    pub fn program() -> PathBuf {
        PathBuf::from(env!("CARGO_BIN_EXE_jeton"))
    }

    /// What is in its environment.
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut all = vec![
            ("PATH".to_owned(), path),
            (variable("database_url"), self.database.url()),
            (variable("database_connections"), "2".to_owned()),
            (variable("listen"), "127.0.0.1:0".to_owned()),
            (variable("stop_delay"), "0s".to_owned()),
        ];
        all.extend(self.settings.iter().cloned());
        all
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(Self::program());
        command
            .env_clear()
            .envs(self.environment())
            .args(args)
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Run a command that reads `input`.
    pub fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("jeton starts");
        // Who is refused at once reads nothing.
        let _ = child
            .stdin
            .take()
            .expect("a pipe")
            .write_all(input.as_bytes());
        let mut running = Running::of(child);
        // A server that was to be refused, and was not, would run for ever.
        let status = running.wait();
        Ran {
            code: status.code().expect("no signal ended it"),
            stdout: running.output.text(),
            stderr: running.errors.text(),
        }
    }

    /// The JSON document of a command that has to succeed.
    pub fn json(&self, args: &[&str]) -> Value {
        self.json_with(args, "")
    }

    pub fn json_with(&self, args: &[&str], input: &str) -> Value {
        let mut args = args.to_vec();
        args.push("--json");
        let ran = self.run_with(&args, input);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
        assert_eq!(ran.stdout.lines().count(), 1, "{args:?}: {}", ran.stdout);
        serde_json::from_str(&ran.stdout).expect("one JSON document")
    }

    /// Start the server and wait until it answers.
    pub fn serve(&self) -> Running {
        self.serve_with(&[])
    }

    /// [`Jeton::serve`] with more in its environment, such as OpenTelemetry's own variables.
    pub fn serve_with(&self, environment: &[(&str, &str)]) -> Running {
        let mut command = self.command(&["serve"]);
        command.envs(environment.iter().copied());
        Running::serving(command)
    }

    /// A resource server at `https://notes.example`, registered by command.
    pub fn notes(&self, url: &str) -> ResourceServer {
        let uri = "https://notes.example";
        let made = self.json(&[
            "resource",
            "create",
            uri,
            "--name=Notes",
            "--scope=notes:read=Read your notes",
            "--scope=notes:write=Write your notes",
        ]);
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        ResourceServer::new(url, uri.to_owned(), id, &secret)
    }

    /// An app with a secret, registered by command.
    pub fn app(&self, url: &str) -> super::App {
        let redirect_uri = AppOptions::default().redirect_uris[0];
        let made = self.json(&[
            "client",
            "create",
            "--name=Backup Tool",
            "--scope=notes:read notes:write",
            "--redirect-uri",
            redirect_uri,
        ]);
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        super::App::known(
            url,
            text("client_id"),
            Some(text("client_secret")),
            redirect_uri,
        )
    }

    pub fn user(&self, name: &str, password: &str) -> Value {
        self.json_with(
            &["user", "create", name, "--password-stdin"],
            &format!("{password}\n"),
        )
    }

    /// Somebody's personal access token for reading notes.
    pub fn token(&self, user: &str, name: &str) -> Value {
        self.json(&[
            "token",
            "create",
            "--user",
            user,
            "--name",
            name,
            "--scope=notes:read",
            "--resource=https://notes.example",
        ])
    }
}

fn variable(name: &str) -> String {
    format!("JETON_{}", name.to_ascii_uppercase())
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A server under way. Killed when dropped.
pub struct Running {
    pub url: String,
    pub output: Lines,
    pub errors: Lines,
    child: Child,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let started = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self::of(started.expect("jeton starts"))
    }

    /// Start a command that becomes a server, and wait until it answers.
    pub fn serving(command: Command) -> Self {
        let mut running = Self::start(command);
        let line = running.errors.wait_for("serving");
        let (_, address) = line.split_once("address").expect("the log says it");
        let address = address.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = address.find(|c: char| !(c.is_ascii_digit() || ".:".contains(c)));
        running.url = format!("http://{}", &address[..end.unwrap_or(address.len())]);
        running
    }

    fn of(mut child: Child) -> Self {
        Self {
            url: String::new(),
            output: Lines::of(child.stdout.take().expect("a pipe")),
            errors: Lines::of(child.stderr.take().expect("a pipe")),
            child,
        }
    }

    /// Ask it to end, as a supervisor does.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.expect("there is a kill command").success());
    }

    /// How it ended; all it wrote is in its lines then. Who does not end has failed, and is killed.
    pub fn wait(&mut self) -> ExitStatus {
        self.output.wait_for_end();
        self.errors.wait_for_end();
        self.child.wait().expect("it ends")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The status of the answer to anybody who asks for this page.
    pub async fn status(&self, path: &str) -> u16 {
        let request = super::client().get(format!("{}{path}", self.url));
        let answer = request.timeout(super::traffic::NEVER).send().await;
        answer.expect("the server answers").status().as_u16()
    }

    /// End it at once, in whatever it is doing (`kill -9`).
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    pub fn stop(&mut self) {
        self.terminate();
        assert_eq!(self.wait().code(), Some(0), "{}", self.errors.text());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process writes, read as it comes.
pub struct Lines(Arc<(Mutex<Written>, Condvar)>);

#[derive(Default)]
struct Written {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Written::default()), Condvar::new()));
        let writer = shared.clone();
        std::thread::spawn(move || {
            let (written, changed) = &*writer;
            for line in BufReader::new(pipe).lines() {
                let line = line.expect("UTF-8");
                written.lock().unwrap().lines.push(line);
                changed.notify_all();
            }
            written.lock().unwrap().ended = true;
            changed.notify_all();
        });
        Self(shared)
    }

    /// The first line with `part` in it, as soon as there is one.
    pub fn wait_for(&self, part: &str) -> String {
        self.wait_until(|written| {
            let found = written.lines.iter().find(|line| line.contains(part));
            let gone = || panic!("it ended without {part:?}: {:#?}", written.lines);
            found.cloned().or_else(|| written.ended.then(gone))
        })
    }

    /// Wait until as many lines have `part` in them.
    pub fn wait_for_count(&self, part: &str, count: usize) {
        self.wait_until(|written| {
            let found = written.lines.iter().filter(|line| line.contains(part));
            (found.count() >= count).then_some(())
        });
    }

    /// How many lines there are so far.
    pub fn count(&self) -> usize {
        self.0.0.lock().unwrap().lines.len()
    }

    fn wait_for_end(&self) {
        self.wait_until(|written| written.ended.then_some(()));
    }

    fn wait_until<T>(&self, done: impl Fn(&Written) -> Option<T>) -> T {
        let (written, changed) = &*self.0;
        let mut now = written.lock().unwrap();
        loop {
            if let Some(found) = done(&now) {
                return found;
            }
            let (next, waited) = changed.wait_timeout(now, PATIENCE).unwrap();
            assert!(!waited.timed_out(), "nothing came: {:#?}", next.lines);
            now = next;
        }
    }

    /// All that was written so far.
    pub fn text(&self) -> String {
        let written = self.0.0.lock().unwrap();
        written
            .lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect()
    }
}
