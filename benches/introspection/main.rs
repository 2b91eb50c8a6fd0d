//! What introspection costs: requests a second of `jeton serve`, beside those of an actix-web handler that only reads
//! the same request and writes the same answer. `bin/bench` runs it.
//!
//! The two are measured in turn, in the same run, by the same wrk: what one machine does at one moment says little, the
//! ratio says what looking a token up costs. All traffic stays on 127.0.0.1.

mod bare;
mod house;
mod wrk;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bare::{bare, workers};
use house::{House, furnish};
use wrk::{Round, WRK, wrk};

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

/// One of the three: who is asked about which tokens.
struct Contest {
    name: &'static str,
    url: String,
    tokens: String,
    rounds: Vec<Round>,
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
