//! Processes under way: started by us, ended by us, whatever happens.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Result;

/// All that were started and have not ended, by their id.
static RUNNING: Mutex<Option<HashMap<u32, Child>>> = Mutex::new(None);

/// A process, ended with this value.
pub struct Process(pub u32);

impl Process {
    pub fn start(command: &mut Command) -> Result<Self> {
        Self::hold(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?)
    }

    /// Take a child into the books.
    pub fn hold(child: Child) -> Result<Self> {
        let id = child.id();
        running().get_or_insert_default().insert(id, child);
        Ok(Self(id))
    }

    /// Ask it to stop, and wait until it has.
    pub fn stop(self) -> Result<()> {
        Command::new("kill").arg(self.0.to_string()).status()?;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if !self.lives() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("a server did not stop when asked to".into())
    }

    /// Whether it still runs.
    pub fn lives(&self) -> bool {
        let mut running = running();
        let child = running.get_or_insert_default().get_mut(&self.0);
        child.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let child = running().get_or_insert_default().remove(&self.0);
        if let Some(child) = child {
            end(child);
        }
    }
}

/// End it. One that was given an input stops by itself, in good order, when nobody holds that any more.
fn end(mut child: Child) {
    if child.stdin.is_none() {
        let _ = child.kill();
    }
    let _ = child.wait();
}

fn running() -> MutexGuard<'static, Option<HashMap<u32, Child>>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When this process is told to end, end the others first.
pub fn end_all_on_signal() {
    std::thread::spawn(|| {
        actix_web::rt::System::new().block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let heard = async {
                let mut interrupt = signal(SignalKind::interrupt())?;
                let mut terminate = signal(SignalKind::terminate())?;
                let mut hangup = signal(SignalKind::hangup())?;
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                Ok::<_, std::io::Error>(())
            };
            if heard.await.is_ok() {
                running()
                    .take()
                    .unwrap_or_default()
                    .into_values()
                    .for_each(end);
                std::process::exit(130);
            }
        });
    });
}

pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Milliseconds of a core that a process has used.
pub fn cpu(id: u32) -> Result<f64> {
    Ok(stat(id)?[..2].iter().sum::<f64>() * 1e3 / ticks()?)
}

/// The same for a process with all its children, those that have ended too.
pub fn family_cpu(parent: u32) -> Result<f64> {
    let mut used: f64 = stat(parent)?.iter().sum();
    for entry in fs::read_dir("/proc")? {
        let Ok(id) = entry?.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        if parent_of(id).ok() == Some(parent) {
            // It may have ended meanwhile; then its parent has its time.
            used += stat(id).map_or(0.0, |times| times[..2].iter().sum());
        }
    }
    Ok(used * 1e3 / ticks()?)
}

/// User and system time, its own and of its ended children, in ticks.
fn stat(id: u32) -> Result<[f64; 4]> {
    let fields = fields(id)?;
    let time = |at: usize| -> Result<f64> { Ok(fields.get(at).ok_or("no such field")?.parse()?) };
    Ok([time(11)?, time(12)?, time(13)?, time(14)?])
}

pub fn parent_of(id: u32) -> Result<u32> {
    Ok(fields(id)?.get(1).ok_or("no such field")?.parse()?)
}

/// The fields of `/proc/ID/stat` after the name, which may have spaces in it.
fn fields(id: u32) -> Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, rest) = text.rsplit_once(") ").ok_or("a strange stat")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

/// How many ticks are a second.
fn ticks() -> Result<f64> {
    static TICKS: Mutex<Option<f64>> = Mutex::new(None);
    let mut known = TICKS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ticks) = *known {
        return Ok(ticks);
    }
    let said = Command::new("getconf").arg("CLK_TCK").output()?.stdout;
    let ticks = String::from_utf8(said)?.trim().parse()?;
    *known = Some(ticks);
    Ok(ticks)
}

/// Resident memory in MB: all of it, and what of it is no file.
pub fn memory(id: u32) -> Result<(f64, f64)> {
    let text = fs::read_to_string(format!("/proc/{id}/status"))?;
    let of = |name: &str| -> Result<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kilobytes.ok_or("no such line")?.parse::<f64>()? / 1024.0)
    };
    Ok((of("VmRSS:")?, of("RssAnon:")?))
}

/// Say what is being done.
pub fn say(what: &str) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "{what}");
}
