//! How it is measured: one round of wrk.

use std::io::Read;
use std::path::Path;
use std::process::{ChildStderr, ChildStdout, Command, Stdio};

use crate::Result;
use crate::process::Process;

pub const THREADS: usize = 2;
pub const CONNECTIONS: usize = 64;
/// So that what is slow is seen in the figures, and what is lost is an error.
const TIMEOUT: &str = "20s";

/// What one wrk is to send.
pub struct Load<'a> {
    pub url: &'a str,
    pub authorization: &'a str,
    pub content_type: &'a str,
    /// A body a line; where it begins with a slash, a path and a body with a space between them; where it begins with
    /// `Bearer`, what a proxy asks about a request that has this authorization.
    pub lines: &'a Path,
    /// Whether each line is sent once, or drawn at random again and again.
    pub once: bool,
    pub threads: usize,
    pub connections: usize,
    pub seconds: u32,
}

/// What wrk saw in one round: requests, how many a second, and milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub requests: f64,
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
}

/// Sends lines of a file, drawn at random or each once, and says in one line what came of it.
const SCRIPT: &str = r#"
local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end
function init(args)
    math.randomseed(os.time() + number)
    wrk.headers["Authorization"] = args[2]
    wrk.headers["Content-Type"] = args[3]
    once = args[4] == "once"
    lines, heads, at = {}, {}, 0
    local line_number = 0
    for line in io.lines(args[1]) do
        line_number = line_number + 1
        if not once or line_number % tonumber(args[5]) == number then lines[#lines + 1] = line end
    end
end
local function head(path, length)
    local key = path .. length
    if not heads[key] then
        local whole = wrk.format("POST", path, nil, string.rep("x", length))
        heads[key] = string.sub(whole, 1, -1 - length)
    end
    return heads[key]
end
local function question(authorization)
    if not parts then
        local headers = { Authorization = "HERE", ["X-Original-Method"] = "GET", ["X-Original-URI"] = "/notes/1" }
        local whole = wrk.format("GET", nil, headers)
        local from, to = string.find(whole, "HERE", 1, true)
        parts = { string.sub(whole, 1, from - 1), string.sub(whole, to + 1) }
    end
    return parts[1] .. authorization .. parts[2]
end
function request()
    local line
    if once then
        at = at + 1
        if at > #lines then
            wrk.thread:stop()
            at = #lines
        end
        line = lines[at]
    else
        line = lines[math.random(#lines)]
    end
    if string.sub(line, 1, 7) == "Bearer " then return question(line) end
    if string.sub(line, 1, 1) ~= "/" then return head(wrk.path, #line) .. line end
    local path, body = string.match(line, "^(%S+) (.*)$")
    return wrk.format("POST", path, nil, body)
end
function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format("SEEN %d %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50),
        latency:percentile(99), errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"#;

/// A wrk at work.
pub struct UnderWay {
    out: ChildStdout,
    err: ChildStderr,
    _process: Process,
}

const FILE: &str = "wrk.lua";

/// Put the script where it is looked for.
pub fn prepare(folder: &Path) -> Result<()> {
    Ok(std::fs::write(folder.join(FILE), SCRIPT)?)
}

impl Load<'_> {
    pub fn start(&self, folder: &Path) -> Result<UnderWay> {
        let mut child = Command::new("wrk")
            .arg(format!("-t{}", self.threads))
            .arg(format!("-c{}", self.connections))
            .arg(format!("-d{}s", self.seconds))
            .args(["--timeout", TIMEOUT, "-s"])
            .arg(folder.join(FILE))
            .args([self.url, "--"])
            .arg(self.lines)
            .args([self.authorization, self.content_type])
            .arg(if self.once { "once" } else { "draw" })
            .arg(self.threads.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(UnderWay {
            out: child.stdout.take().ok_or("no output")?,
            err: child.stderr.take().ok_or("no output")?,
            _process: Process::hold(child)?,
        })
    }
}

/// Wait for its end, and read what it saw.
pub fn finish(mut under_way: UnderWay) -> Result<Seen> {
    let (mut said, mut complaint) = (String::new(), String::new());
    under_way.out.read_to_string(&mut said)?;
    under_way.err.read_to_string(&mut complaint)?;
    let seen = said.lines().find_map(|line| line.strip_prefix("SEEN "));
    let numbers = seen.unwrap_or_default().split(' ');
    let numbers: Vec<f64> = numbers.filter_map(|number| number.parse().ok()).collect();
    let [requests, micros, p50, p99, refused, lost] = numbers[..] else {
        return Err(format!("wrk failed: {said}{complaint}").into());
    };
    if refused + lost > 0.0 {
        return Err(format!(
            "of {requests} requests {refused} were refused, {lost} had no answer in time"
        )
        .into());
    }
    Ok(Seen {
        requests,
        rate: requests / (micros / 1e6),
        p50: p50 / 1e3,
        p99: p99 / 1e3,
    })
}

/// What several saw at the same time. Their latencies can't be put together afterwards: the worst is taken.
pub fn together(seen: &[Seen]) -> Seen {
    let worst = |of: fn(&Seen) -> f64| seen.iter().map(of).fold(0.0, f64::max);
    Seen {
        requests: seen.iter().map(|seen| seen.requests).sum(),
        rate: seen.iter().map(|seen| seen.rate).sum(),
        p50: worst(|seen| seen.p50),
        p99: worst(|seen| seen.p99),
    }
}
