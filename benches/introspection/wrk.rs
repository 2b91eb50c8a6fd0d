//! How it is measured: one round of wrk.

use std::path::Path;
use std::process::Command;

use crate::{CONNECTIONS, Contest, Result, SECONDS, THREADS};

/// What wrk saw in one round: requests a second, and milliseconds.
#[derive(Clone, Copy)]
pub struct Round {
    pub rate: f64,
    pub p50: f64,
    pub p99: f64,
}

/// Picks tokens at random, and says in one line what came of it.
pub const WRK: &str = r#"
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

pub fn wrk(contest: &Contest, authorization: &str, script: &Path) -> Result<Round> {
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
