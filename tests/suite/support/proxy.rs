//! A real proxy in front of a real service, set up as docs/forward-auth.md says.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use actix_web::dev::ServerHandle;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use super::Server;
use super::process::Lines;
use super::server::client;
use super::traffic::{NEVER, until};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/forward-auth.md");

/// How often it is tried to find a port that nobody else takes meanwhile.
const TRIES: usize = 5;

/// nginx, Caddy or Envoy, with the page's own recipe. Killed when dropped.
pub struct Proxy {
    pub url: String,
    child: Child,
    service: ServerHandle,
    _folder: tempfile::TempDir,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Caddy,
    Envoy,
}

/// What of the page is other in a test: Jeton, the service, and where the proxy listens.
const JETON: &str = "127.0.0.1:8080";
const SERVICE: &str = "127.0.0.1:3000";

/// Where programs are that are not on everybody's path: root's own, and what bin/test puts into the build's folder.
const ELSEWHERE: [&str; 2] = [
    "/usr/sbin",
    concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin"),
];

impl Proxy {
    /// A proxy of this kind between the world and a service, which asks `server`.
    pub async fn start(kind: Kind, server: &Server) -> Self {
        let (service, address) = service();
        let jeton = server.url.trim_start_matches("http://");
        let recipe = kind.moved(&recipe(kind), JETON, jeton);
        let recipe = kind.moved(&recipe, SERVICE, &address.to_string());
        let mut said = String::new();
        for _ in 0..TRIES {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let port = free_port();
            let mut child = kind.spawn(folder.path(), &recipe, port);
            let lines = Lines::of(child.stderr.take().expect("a pipe"));
            let url = format!("http://127.0.0.1:{port}");
            if kind.answers(&url, &mut child).await {
                return Self {
                    url,
                    child,
                    service,
                    _folder: folder,
                };
            }
            said = lines.text();
        }
        panic!("{kind:?} does not start with the recipe of {PAGE}: {said}");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        drop(self.service.stop(false));
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Nginx => "nginx",
            Kind::Caddy => "caddy",
            Kind::Envoy => "envoy",
        }
    }

    /// The recipe, with another address in the place of one.
    fn moved(self, recipe: &str, from: &str, to: &str) -> String {
        if self != Kind::Envoy {
            return replaced(recipe, from, to);
        }
        let port = |address: &str| {
            let (_, port) = address.split_once(':').expect("an address with its port");
            format!("address: 127.0.0.1, port_value: {port}}}")
        };
        replaced(recipe, &port(from), &port(to)).replace(from, to)
    }

    fn spawn(self, folder: &Path, recipe: &str, port: u16) -> Child {
        let file = folder.join(match self {
            Kind::Envoy => "proxy.yaml",
            Kind::Nginx | Kind::Caddy => "proxy.conf",
        });
        let path = std::env::var("PATH").unwrap_or_default();
        let path = [path.as_str(), ELSEWHERE[0], ELSEWHERE[1]].join(":");
        let mut command = Command::new(self.name());
        command
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let config = match self {
            Kind::Nginx => {
                command
                    .arg("-p")
                    .arg(folder)
                    .arg("-c")
                    .arg(&file)
                    .args(["-e", "stderr"]);
                let recipe = replaced(recipe, "listen 8000;", &format!("listen 127.0.0.1:{port};"));
                nginx(folder, &recipe)
            }
            Kind::Caddy => {
                command
                    .args(["run", "--adapter", "caddyfile", "--config"])
                    .arg(&file);
                command
                    .env("HOME", folder)
                    .env("XDG_DATA_HOME", folder)
                    .env("XDG_CONFIG_HOME", folder);
                let recipe = replaced(recipe, ":8000 {", &format!(":{port} {{"));
                format!(
                    "{{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}}\n\n{recipe}"
                )
            }
            Kind::Envoy => {
                command.arg("-c").arg(&file).args(["--concurrency", "1"]);
                // Else the second of several would meet the first in shared memory.
                command.args(["--use-dynamic-base-id", "--log-level", "error"]);
                self.moved(recipe, "127.0.0.1:8000", &format!("127.0.0.1:{port}"))
            }
        };
        fs::write(&file, config).expect("the folder takes files");
        command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; bin/test installs it", self.name()))
    }

    /// Whether it answers, and not another that has taken its port.
    async fn answers(self, url: &str, child: &mut Child) -> bool {
        let http = client();
        let (child, answered) = (std::cell::RefCell::new(child), std::cell::Cell::new(false));
        until("the proxy answers, or ends", async || {
            let answer = http.get(url).timeout(NEVER).send().await;
            let server = answer.map(|answer| {
                let server = answer.headers().get("server");
                let server = server
                    .and_then(|name| name.to_str().ok())
                    .unwrap_or_default();
                server.to_ascii_lowercase().contains(self.name())
            });
            answered.set(server.unwrap_or(false));
            let ended = child.borrow_mut().try_wait().expect("a child of ours");
            answered.get() || ended.is_some()
        })
        .await;
        answered.get()
    }
}

/// nginx's own settings around the recipe: one process, which can be killed, and all its files in one folder.
fn nginx(folder: &Path, recipe: &str) -> String {
    let folder = folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|what| format!("    {what}_temp_path {folder}/{what};\n"));
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n    access_log off;\n\
         {}{recipe}}}\n",
        temporary.concat()
    )
}

/// The configuration in the page below its mark.
fn recipe(kind: Kind) -> String {
    let page = fs::read_to_string(PAGE).expect("the page is there");
    let mark = format!("<!-- recipe: {} -->\n```", kind.name());
    let (_, block) = page.split_once(&mark).expect("the page has the recipe");
    let (_, block) = block.split_once('\n').expect("the fence ends");
    let (recipe, _) = block.split_once("```").expect("the recipe ends");
    recipe.to_owned()
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in\n{text}");
    text.replace(from, to)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// A service that knows nothing of tokens: it says what has reached it. It has a git repository too.
fn service() -> (ServerHandle, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let app = || actix_web::App::new().default_service(web::to(serve));
    let server = HttpServer::new(app).workers(1).disable_signals();
    let server = server.listen(listener).expect("it listens").run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (handle, address)
}

async fn serve(req: HttpRequest, body: web::Bytes) -> HttpResponse {
    if req.path().ends_with("/info/refs") {
        return HttpResponse::Ok().body(format!("{}\trefs/heads/main\n", "1".repeat(40)));
    }
    let headers = req.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), Value::String(value))
    });
    let headers: serde_json::Map<String, Value> = headers.collect();
    HttpResponse::Ok().json(json!({
        "method": req.method().as_str(),
        "target": req.uri().to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}
