//! What the server writes to its log, kept for tests that look for what must not be there.

use std::io::Write;
use std::sync::{Mutex, OnceLock};

static LINES: Mutex<Vec<u8>> = Mutex::new(vec![]);
static LISTENING: OnceLock<()> = OnceLock::new();

/// The log of this process from the first call on, of every server in it. Jeton is asked for all it can say.
pub struct Log;

impl Log {
    pub fn listen() -> Self {
        LISTENING.get_or_init(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_env_filter("info,jeton=trace")
                .with_ansi(false)
                .with_writer(|| Lines)
                .finish();
            tracing::subscriber::set_global_default(subscriber)
                .expect("nothing else listens to the log");
        });
        Self
    }

    pub fn text(&self) -> String {
        let lines = LINES.lock().expect("no writer of the log panicked");
        String::from_utf8_lossy(&lines).into_owned()
    }
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut lines = LINES.lock().expect("no writer of the log panicked");
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
