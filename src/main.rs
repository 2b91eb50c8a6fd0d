use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use jeton::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            // When nobody listens to standard error either, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "jeton: {}", error.one_line());
            ExitCode::FAILURE
        }
    }
}
