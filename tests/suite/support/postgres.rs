//! A PostgreSQL server of one test's own.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::process::Lines;
use super::until;

/// A server that can be stopped and started. It goes when it is dropped.
pub struct Postgres {
    /// Where it is; the role may create databases.
    pub url: String,
    script: Child,
    orders: Option<ChildStdin>,
    said: Lines,
}

impl Postgres {
    pub fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/bin/postgres");
        let mut script = Command::new(script)
            .arg("--steered")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bin/postgres starts");
        let said = Lines::of(script.stdout.take().expect("a pipe"));
        Self {
            url: said.wait_for("postgres://"),
            orders: script.stdin.take(),
            script,
            said,
        }
    }

    /// `stop`, `crash` or `start` it, and wait until that is done.
    pub async fn order(&mut self, order: &str) {
        let before = self.said.count();
        let orders = self.orders.as_mut().expect("the script reads");
        writeln!(orders, "{order}").expect("the script reads");
        until(order, async || self.said.count() > before).await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The script ends with its orders, and takes its server along.
        self.orders = None;
        let _ = self.script.wait();
    }
}
