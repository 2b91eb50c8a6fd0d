//! `jeton leak-check`: looks for leaked secrets in files, for people and for CI. It needs no server, and never prints a
//! secret.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::domain::scan::{Scanner, Sighting};

/// How much is read at a time.
const PIECE: usize = 64 * 1024;

/// Exit code 0 says that nothing was found, 1 that something was, 2 that something could not be read.
#[derive(Debug, Args)]
pub struct LeakCheck {
    /// Files and folders with all that is in them, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// Leave out what only looks like a secret, by its checksum
    #[arg(long)]
    sure: bool,
}

/// A sighting as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    file: &'a str,
    line: u64,
    column: u64,
    hint: &'a str,
    kind: &'a str,
    /// Whether the checksum holds.
    checksum: bool,
}

/// Where sightings go, and how many there were.
struct Report<W> {
    out: W,
    as_json: bool,
    sure: bool,
    found: u64,
    /// Something could not be read.
    failed: bool,
    /// Nobody reads what is written any more, or it can't be written.
    written: io::Result<()>,
}

impl LeakCheck {
    /// Look through all of it, as far as it can be read; what comes of it is the exit code.
    pub(super) fn run(self, as_json: bool) -> ExitCode {
        let mut report = Report {
            out: BufWriter::new(io::stdout().lock()),
            as_json,
            sure: self.sure,
            found: 0,
            failed: false,
            written: Ok(()),
        };
        for path in &self.paths {
            if path == Path::new("-") {
                let read = report.read(path, io::stdin().lock());
                report.note(path, read);
            } else {
                report.visit(path, true);
            }
        }
        report.end()
    }
}

impl<W: Write> Report<W> {
    /// Look through a file, or a folder and all that is in it. Links are not followed, and what is no file is passed by,
    /// unless it was `named`.
    fn visit(&mut self, path: &Path, named: bool) {
        if self.written.is_err() {
            return;
        }
        let kind = if named {
            fs::metadata(path)
        } else {
            fs::symlink_metadata(path)
        };
        let looked = match kind {
            Ok(kind) if kind.is_dir() => entries(path).map(|entries| {
                entries.iter().for_each(|entry| self.visit(entry, false));
            }),
            Ok(kind) if kind.is_file() || named => {
                File::open(path).and_then(|file| self.read(path, file))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        self.note(path, looked);
    }

    fn read(&mut self, path: &Path, mut source: impl Read) -> io::Result<()> {
        let file = plain(path);
        let mut scanner = Scanner::default();
        let mut piece = vec![0; PIECE];
        // Nobody may be reading any more, of what may have no end.
        while self.written.is_ok() {
            let length = match source.read(&mut piece) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut found = |sighting| self.show(&file, &sighting);
            if length == 0 {
                scanner.end(&mut found);
                return Ok(());
            }
            scanner.read(&piece[..length], &mut found);
        }
        Ok(())
    }

    fn show(&mut self, file: &str, sighting: &Sighting) {
        if self.sure && !sighting.genuine {
            return;
        }
        self.found += 1;
        let shown = Shown {
            file,
            line: sighting.line,
            column: sighting.column,
            hint: &sighting.hint,
            kind: sighting.kind.name(),
            checksum: sighting.genuine,
        };
        if self.written.is_ok() {
            self.written = self.write(&shown);
        }
    }

    fn write(&mut self, shown: &Shown) -> io::Result<()> {
        if self.as_json {
            let before = if self.found == 1 { "[" } else { "," };
            self.out.write_all(before.as_bytes())?;
            return Ok(serde_json::to_writer(&mut self.out, shown)?);
        }
        let Shown {
            file,
            line,
            column,
            hint,
            kind,
            checksum,
        } = shown;
        let verdict = match checksum {
            true => "the checksum holds",
            false => "the checksum does not hold",
        };
        writeln!(
            self.out,
            "{file}:{line}:{column}: {hint}… {kind}, {verdict}"
        )
    }

    /// Say what could not be read, and go on.
    fn note(&mut self, path: &Path, looked: io::Result<()>) {
        if let Err(error) = looked {
            self.failed = true;
            // When nobody listens to standard error either, the exit code has to do.
            let _ = writeln!(
                io::stderr(),
                "jeton: {} can't be read: {error}",
                plain(path)
            );
        }
    }

    fn end(mut self) -> ExitCode {
        if self.as_json && self.written.is_ok() {
            let rest = if self.found == 0 { "[]\n" } else { "]\n" };
            self.written = self.out.write_all(rest.as_bytes());
        }
        let written = self.written.and_then(|()| self.out.flush());
        // Whoever read has seen enough, as in `jeton leak-check . | head -n 1`.
        let unwritten = written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe);
        match (self.failed || unwritten, self.found) {
            (true, _) => ExitCode::from(2),
            (false, 0) => ExitCode::SUCCESS,
            (false, _) => ExitCode::FAILURE,
        }
    }
}

/// What is in a folder, in the order of the names.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}

/// A path for people, on one line, whatever letters are in it.
fn plain(path: &Path) -> String {
    let path = path.to_string_lossy();
    path.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}
