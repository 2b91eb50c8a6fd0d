//! A real browser: Chromium without a window, driven by chromedriver, both ended when the test is, also by a panic.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Server};

/// No element takes this long to appear; a test that waits for one that never comes fails then.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks at what can't be waited for.
const MOMENT: Duration = Duration::from_millis(20);

const FLAGS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// One person's browser, empty at first.
pub struct Chromium {
    _driver: Driver,
    /// Goes after the browser that writes to it.
    _profile: tempfile::TempDir,
    client: Client,
    url: String,
}

/// chromedriver and what it has started.
struct Driver {
    process: Child,
    port: u16,
}

impl Chromium {
    pub async fn open(server: &Server) -> Self {
        Self::with(server, json!({})).await
    }

    /// A browser that runs no scripts.
    pub async fn without_scripts(server: &Server) -> Self {
        let off = json!({"profile.managed_default_content_settings.javascript": 2});
        Self::with(server, off).await
    }

    async fn with(server: &Server, preferences: Value) -> Self {
        let driver = Driver::start();
        let profile = tempfile::tempdir().expect("a temporary folder can be made");
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags, "prefs": preferences},
            "goog:loggingPrefs": {"browser": "ALL"},
            "unhandledPromptBehavior": "accept",
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("capabilities are an object")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .expect("Chromium starts");
        Self {
            _driver: driver,
            _profile: profile,
            client,
            url: server.url.clone(),
        }
    }

    /// Open a path of the server.
    pub async fn goto(&self, path: &str) {
        let url = format!("{}{path}", self.url);
        self.client.goto(&url).await.expect("the page loads");
    }

    pub async fn back(&self) {
        self.client.back().await.expect("there is a page to go to");
    }

    pub async fn reload(&self) {
        self.client.refresh().await.expect("the page loads again");
    }

    /// The first element that this CSS selector finds, as soon as there is one.
    pub async fn see(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE);
        match found.for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => panic!("no {css}: {error}\n{}", self.source().await),
        }
    }

    /// Wait for the page with this heading.
    pub async fn heading(&self, text: &str) {
        let path = format!("//h1[normalize-space()='{text}']");
        let found = self.client.wait().at_most(PATIENCE);
        if let Err(error) = found.for_element(Locator::XPath(&path)).await {
            panic!("no heading {text:?}: {error}\n{}", self.source().await);
        }
    }

    /// Wait until an expression in the page's script has this value.
    pub async fn until(&self, expression: &str, expected: &str) {
        let began = Instant::now();
        loop {
            let value = self.value(expression).await;
            if value == expected {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{expression} is {value}, not {expected:?}"
            );
            tokio::time::sleep(MOMENT).await;
        }
    }

    pub async fn click(&self, css: &str) {
        let element = self.see(css).await;
        let clicked = element.click().await;
        clicked.unwrap_or_else(|error| panic!("{css} can't be clicked: {error}"));
    }

    /// Click the button or link that says this.
    pub async fn press(&self, text: &str) {
        let path = format!(
            "//*[self::button or self::a][normalize-space(text())='{text}' or normalize-space()='{text}']"
        );
        let found = self.client.wait().at_most(PATIENCE);
        match found.for_element(Locator::XPath(&path)).await {
            Ok(element) => element.click().await.expect("it can be clicked"),
            Err(error) => panic!("nothing says {text:?}: {error}\n{}", self.source().await),
        }
    }

    pub async fn fill(&self, css: &str, text: &str) {
        let input = self.see(css).await;
        input.send_keys(text).await.expect("it takes text");
    }

    /// Press keys, wherever the focus is.
    pub async fn keys(&self, text: &str) {
        let active = self.client.active_element().await;
        let active = active.expect("something has the focus");
        active.send_keys(text).await.expect("it takes keys");
    }

    pub async fn tab(&self) {
        self.keys(&char::from(Key::Tab).to_string()).await;
    }

    pub async fn enter(&self) {
        self.keys(&char::from(Key::Enter).to_string()).await;
    }

    pub async fn text(&self, css: &str) -> String {
        self.see(css).await.text().await.expect("it has text")
    }

    pub async fn source(&self) -> String {
        self.client.source().await.unwrap_or_default()
    }

    /// Path and query of the page.
    pub async fn address(&self) -> url::Url {
        self.client.current_url().await.expect("a page is open")
    }

    /// The value of an expression in the page's script.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        let value = self.client.execute(&script, vec![]).await;
        value.expect("the expression can be evaluated")
    }

    /// Sign in as this person with the password that everybody has.
    pub async fn sign_in(&self, username: &str) {
        self.goto("/sign-in").await;
        self.fill("#username", username).await;
        self.fill("#password", PASSWORD).await;
        self.press("Sign in").await;
        self.heading("Personal access tokens").await;
    }

    /// What the console has said since it was last asked, one string an entry.
    pub async fn console(&self) -> Vec<String> {
        let log = self.command("se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// A command of Chromium's own protocol for developers.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let command = json!({"cmd": command, "params": parameters});
        self.command("goog/cdp/execute", command).await
    }

    /// A command that only chromedriver knows.
    async fn command(&self, path: &'static str, body: Value) -> Value {
        let answer = self.client.issue_cmd(Own { path, body }).await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.body.to_string()))
    }
}

impl Driver {
    /// Start chromedriver on a port that it chooses itself, so that no two tests can want the same. On a busy machine it
    /// sometimes ends before it has one; then it is started again.
    fn start() -> Self {
        let program = std::env::var("JETON_TEST_CHROMEDRIVER")
            .expect("JETON_TEST_CHROMEDRIVER has the path of chromedriver; bin/test sets it");
        let mut said = vec![];
        for _ in 0..10 {
            match Self::try_start(&program) {
                Ok(driver) => return driver,
                Err(lines) => said = lines,
            }
        }
        panic!("chromedriver does not start: {said:?}");
    }

    /// chromedriver, or what it said instead of its port.
    fn try_start(program: &str) -> Result<Self, Vec<String>> {
        let mut process = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver can be run");
        let output = process.stdout.take().expect("its output is ours");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let mut said = vec![];
        let port = lines.by_ref().find_map(|line| {
            let port = line.split_once("started successfully on port ");
            let port = port.and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
            said.push(line);
            port
        });
        match port {
            Some(port) => {
                // It must not be stopped by a full pipe.
                std::thread::spawn(move || lines.for_each(drop));
                Ok(Self { process, port })
            }
            None => {
                let _ = process.kill();
                let _ = process.wait();
                Err(said)
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Asked to shut down, it ends its browser first; killed at once, it would leave it behind.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
            let _ = stream.read(&mut [0; 64]);
        }
        for _ in 0..100 {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
