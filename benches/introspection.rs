//! What introspection costs: requests a second of `jeton serve`, beside those of an actix-web handler that only reads
//! the same request and writes the same answer. `bin/bench` runs it.
//!
//! The two are measured in turn, in the same run, by the same wrk: what one machine does at one moment says little, the
//! ratio says what looking a token up costs. All traffic stays on 127.0.0.1.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jeton::app::App;
use jeton::clock::Clock;
use jeton::config::Config;
use jeton::db::Fault;
use jeton::domain::client::{AuthMethod, Client, GrantType, NewClient, PERSONAL_ACCESS_TOKEN};
use jeton::domain::grant::{Grant, NewGrant, Origin, Via};
use jeton::domain::redirect_uri::RedirectUri;
use jeton::domain::resource::{NewScope, Resource};
use jeton::domain::token::{NewToken, Token, TokenKind};
use jeton::domain::tx::{Caller, Tx};
use jeton::domain::user::User;
use jeton::domain::words::{Audience, Scope};

/// Tokens of each kind.
const TOKENS: usize = 10_000;
const PEOPLE: usize = 100;
const ROUNDS: usize = 5;
const SECONDS: u32 = 3;
const THREADS: u32 = 2;
const CONNECTIONS: u32 = 64;

const API: &str = "https://notes.example";
const READ: &str = "notes:read";
const PATH: &str = "/oauth/introspect";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "bare", port, answer] => bare(port.parse()?, &fs::read_to_string(answer)?),
        _ => measure(),
    }
}

// ---- What is measured against ----

/// Serve one handler that does of introspection what every server has to: read the credentials and the form, answer.
fn bare(port: u16, answer: &str) -> Result<()> {
    let (headers, body) = answer.split_once("\n\n").ok_or("an answer has a body")?;
    let headers: Vec<(String, String)> = headers
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = body.to_owned();
    let server = HttpServer::new(move || {
        let (headers, body) = (headers.clone(), body.clone());
        let handler = move |req: HttpRequest, form: web::Bytes| {
            let (headers, body) = (headers.clone(), body.clone());
            async move { reply(&req, &form, &headers, body) }
        };
        actix_web::App::new().route(PATH, web::post().to(handler))
    });
    let server = server.workers(workers()).bind(("127.0.0.1", port))?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

fn reply(
    req: &HttpRequest,
    form: &[u8],
    headers: &[(String, String)],
    body: String,
) -> HttpResponse {
    let header = req.headers().get(AUTHORIZATION);
    let basic = header.and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let pair = basic.and_then(|basic| STANDARD.decode(basic).ok());
    let named = pair.is_some_and(|pair| pair.contains(&b':'));
    let token =
        url::form_urlencoded::parse(form).any(|(name, value)| name == "token" && !value.is_empty());
    if !named || !token {
        return HttpResponse::BadRequest().finish();
    }
    let mut response = HttpResponse::Ok();
    for (name, value) in headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.body(body)
}

/// As many as `jeton serve` has.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}

// ---- What is measured ----

/// A database with people, their tokens, and an API that asks.
struct House {
    authorization: String,
    personal: Vec<String>,
    access: Vec<String>,
}

fn furnish(database: &str) -> Result<House> {
    let config = Config::read(None, |variable| {
        (variable == "JETON_DATABASE_URL").then(|| database.to_owned())
    })?;
    let app = App::open(config, Clock::System)?;
    let caller = Caller::command_line();
    let scopes = [NewScope {
        name: READ.to_owned(),
        description: "Read your notes".to_owned(),
        reserved: false,
    }];
    let (_, api, secret) =
        app.write_blocking(&caller, |tx| Resource::create(tx, API, "Notes", &scopes))?;
    let people = app.write_blocking(&caller, |tx| {
        let person = |number| User::create(tx, &format!("person{number}"), None, false, None);
        (0..PEOPLE)
            .map(person)
            .collect::<std::result::Result<Vec<_>, _>>()
    })?;
    let redirect_uri = RedirectUri::register("https://app.example/cb")?;
    let (personal, access) = app.write_blocking(&caller, |tx| {
        let client = NewClient {
            name: "Backup Tool".to_owned(),
            auth_method: AuthMethod::ClientSecret,
            grant_types: vec![GrantType::AuthorizationCode],
            scope: Scope::parse(READ).expect("a good scope"),
            redirect_uris: vec![redirect_uri],
            access_token_ttl: None,
            introspect_any: false,
        };
        let (client, _) = Client::create(tx, client)?;
        let personal = issue(tx, &people, PERSONAL_ACCESS_TOKEN, Origin::Personal)?;
        let access = issue(tx, &people, &client.id, Origin::AuthorizationCode)?;
        Ok::<_, Fault>((personal, access))
    })?;
    let pair = STANDARD.encode(format!("{}:{}", api.id, secret.expose()));
    Ok(House {
        authorization: format!("Basic {pair}"),
        personal,
        access,
    })
}

/// Tokens with a grant each, without the checks that making one by one goes through.
fn issue(
    tx: &mut Tx,
    people: &[User],
    client: &str,
    origin: Origin,
) -> std::result::Result<Vec<String>, Fault> {
    let scope = Scope::parse(READ).map_err(|_| Fault::Broken("a bad scope"))?;
    let audience = Audience::of([API]).map_err(|_| Fault::Broken("a bad audience"))?;
    let kind = match origin {
        Origin::Personal => TokenKind::Personal,
        _ => TokenKind::Access,
    };
    let end = tx.now + Duration::from_secs(86_400);
    (0..TOKENS)
        .map(|number| {
            let name = format!("token {number}");
            let new = NewGrant {
                user_id: Some(people[number % people.len()].id),
                client_id: client,
                origin,
                scope: &scope,
                audience: &audience,
                name: (origin == Origin::Personal).then_some(name.as_str()),
                description: None,
                via: Via::CommandLine,
                auth_time: None,
            };
            let grant = Grant::create(tx, new)?;
            let secret = tx.policy.brands.mint(kind.secret_kind());
            let new = NewToken {
                grant: &grant,
                kind,
                expires_at: Some(end),
                scope: None,
                audience: None,
            };
            Token::issue(tx, &secret, new)?;
            Ok(secret.expose().to_owned())
        })
        .collect()
}

/// A server under way, ended with this value.
struct Process(Child);

impl Process {
    /// Start it, and wait until it listens.
    fn start(command: &mut Command, port: u16) -> Result<Self> {
        let process = Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if began.elapsed() > Duration::from_secs(20) {
                return Err("a server did not start".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(process)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

// ---- How it is measured ----

/// One of the three: who is asked about which tokens.
struct Contest {
    name: &'static str,
    url: String,
    tokens: String,
    rounds: Vec<Round>,
}

/// What wrk saw in one round: requests a second, and milliseconds.
#[derive(Clone, Copy)]
struct Round {
    rate: f64,
    p50: f64,
    p99: f64,
}

fn measure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let database = format!("sqlite://{}", path("jeton.db"));
    println!("Making {TOKENS} tokens of each kind");
    let house = furnish(&database)?;
    fs::write(path("personal"), house.personal.join("\n"))?;
    fs::write(path("access"), house.access.join("\n"))?;
    fs::write(path("wrk.lua"), WRK)?;

    let (port, bare_port) = (free_port()?, free_port()?);
    let mut serve = Command::new(env!("CARGO_BIN_EXE_jeton"));
    serve
        .arg("serve")
        .env("JETON_DATABASE_URL", &database)
        .env("JETON_LISTEN", format!("127.0.0.1:{port}"))
        .env("JETON_LOG", "warn");
    let _server = Process::start(&mut serve, port)?;
    let url = format!("http://127.0.0.1:{port}{PATH}");
    let answer = check(&url, &house)?;
    fs::write(path("answer"), answer)?;

    let mut bare = Command::new(std::env::current_exe()?);
    bare.args(["bare", &bare_port.to_string(), &path("answer")]);
    let _bare = Process::start(&mut bare, bare_port)?;
    let bare_url = format!("http://127.0.0.1:{bare_port}{PATH}");
    check(&bare_url, &house)?;

    let contest = |name, url: &str, tokens| Contest {
        name,
        url: url.to_owned(),
        tokens: path(tokens),
        rounds: vec![],
    };
    let mut contests = [
        contest("bare handler", &bare_url, "personal"),
        contest("personal access tokens", &url, "personal"),
        contest("access tokens", &url, "access"),
    ];
    println!(
        "{ROUNDS} rounds of {SECONDS} s each, -t{THREADS} -c{CONNECTIONS}, {} workers",
        workers()
    );
    for round in 0..=ROUNDS {
        for contest in &mut contests {
            let seen = wrk(contest, &house.authorization, Path::new(&path("wrk.lua")))?;
            // The first is for warming up.
            if round > 0 {
                contest.rounds.push(seen);
            }
        }
    }
    report(&contests);
    Ok(())
}

/// See that tokens of both kinds are active here; one whole answer.
fn check(url: &str, house: &House) -> Result<String> {
    let some = house
        .personal
        .iter()
        .chain(&house.access)
        .step_by(TOKENS / 50);
    actix_web::rt::System::new().block_on(async {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let mut whole = String::new();
        for token in some {
            let request = http.post(url).header("Authorization", &house.authorization);
            let answer = request.form(&[("token", token)]).send().await?;
            let status = answer.status();
            let mut headers = String::new();
            for (name, value) in answer.headers() {
                if !["date", "content-length"].contains(&name.as_str()) {
                    headers += &format!("{name}: {}\n", value.to_str()?);
                }
            }
            let body = answer.text().await?;
            if status != 200 || !body.contains("\"active\":true") {
                return Err(format!("{url} answers {status}: {body}").into());
            }
            whole = format!("{headers}\n{body}");
        }
        Ok(whole)
    })
}

/// Picks tokens at random, and says in one line what came of it.
const WRK: &str = r#"
local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end
function init(args)
    math.randomseed(os.time() + number)
    tokens = {}
    for token in io.lines(args[1]) do tokens[#tokens + 1] = "token=" .. token end
    wrk.headers["Authorization"] = args[2]
    wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
end
function request()
    return wrk.format("POST", nil, nil, tokens[math.random(#tokens)])
end
function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format("SEEN %d %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"#;

fn wrk(contest: &Contest, authorization: &str, script: &Path) -> Result<Round> {
    let output = Command::new("wrk")
        .arg(format!("-t{THREADS}"))
        .arg(format!("-c{CONNECTIONS}"))
        .arg(format!("-d{SECONDS}s"))
        .arg("-s")
        .arg(script)
        .args([contest.url.as_str(), "--", &contest.tokens, authorization])
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let seen = said.lines().find_map(|line| line.strip_prefix("SEEN "));
    let numbers = seen.unwrap_or_default().split(' ');
    let numbers: Vec<f64> = numbers.filter_map(|number| number.parse().ok()).collect();
    let [requests, micros, p50, p99, refused, lost] = numbers[..] else {
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("wrk failed: {said}{complaint}").into());
    };
    if refused + lost > 0.0 {
        let name = contest.name;
        return Err(format!(
            "{name}: {refused} requests were refused, {lost} had no answer in time"
        )
        .into());
    }
    Ok(Round {
        rate: requests / (micros / 1e6),
        p50: p50 / 1e3,
        p99: p99 / 1e3,
    })
}

fn median(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn report(contests: &[Contest]) {
    let bare = median(&contests[0].rounds, |round| round.rate);
    println!();
    println!("| introspection of | requests/s | of bare | p50 | p99 |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for contest in contests {
        let of = |value: fn(&Round) -> f64| median(&contest.rounds, value);
        let rate = of(|round| round.rate);
        println!(
            "| {} | {rate:.0} | {:.0} % | {:.1} ms | {:.1} ms |",
            contest.name,
            100.0 * rate / bare,
            of(|round| round.p50),
            of(|round| round.p99),
        );
    }
}
