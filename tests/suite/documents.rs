//! What the documents say is so: settings, commands, links.
//!
//! A fenced block of ```` ```console ```` or ```` ```sh ```` in a `*.md` file of the root or of `docs` that has
//!
//! ```text
//! <!-- test: NAME -->
//! ```
//!
//! on the line just above it is run. All of them of one file are run in their order by one bash (`-euo pipefail`, in an
//! empty folder), so that a block can use the variables of those before it. There
//!
//! - `$ISSUER` is the URL of a server that was started for this file, `$PASSWORD` the password it printed for `admin`;
//! - `jeton` is on the `PATH`, and its environment is the server's: commands work on the server's database.
//!
//! In a `console` block, a line that begins with `$ ` is a command, and so are the lines that continue it: those after a
//! line that ends in `\`, whatever they begin with. All other lines are what the command before them has to print, on
//! standard output or standard error: each has to be there, in this order; other lines may come between. `…` in a line
//! stands for anything, and a line that is only `…` for any lines. In an `sh` block every line is part of a command, and
//! nothing is said of what is printed. Every command has to succeed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jeton::config::SETTINGS;

use crate::support::Jeton;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What stands before each command's output: no document has it.
const MARK: &str = "\u{1}command ";

/// The `*.md` files of the root and of `docs`.
fn documents() -> BTreeMap<PathBuf, String> {
    let folders = [PathBuf::from(ROOT), Path::new(ROOT).join("docs")];
    let entries = folders.map(|folder| fs::read_dir(folder).expect("it can be read"));
    let documents: BTreeMap<PathBuf, String> = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a document is text");
            (path, text)
        })
        .collect();
    assert!(documents.contains_key(&readme()), "there is a README.md");
    documents
}

fn readme() -> PathBuf {
    Path::new(ROOT).join("README.md")
}

/// The settings as the README has to have them.
fn settings_table() -> String {
    let mut table = "| setting | unless set | meaning |\n| --- | --- | --- |\n".to_owned();
    for setting in SETTINGS {
        let default = match setting.default {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let (variable, name) = (setting.variable(), setting.name);
        table += &format!(
            "| `{variable}` / `{name}` | {default} | {} |\n",
            setting.meaning
        );
    }
    table
}

#[test]
fn the_readme_has_every_setting_as_the_program_has_it() {
    let table = settings_table();
    let readme = fs::read_to_string(readme()).expect("there is a README.md");
    assert!(
        readme.contains(&format!("\n\n{table}\n")),
        "README.md has to have this table, and an empty line before and after it:\n\n{table}"
    );
}

/// One command of a document, and what it has to print.
#[derive(Debug, Default)]
struct Step {
    /// Which block it is in.
    block: String,
    command: String,
    prints: Vec<String>,
}

/// The commands of all blocks of a document that are to be run.
fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let name = line.trim().strip_prefix("<!-- test: ");
        let Some(name) = name.and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let fence = lines.next().unwrap_or_default().trim();
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        let block: Vec<&str> = block.collect();
        let step = |command: String| Step {
            block: name.to_owned(),
            command,
            prints: vec![],
        };
        match fence {
            "```sh" => steps.push(step(block.join("\n"))),
            "```console" => steps.extend(console(&block, step)),
            other => panic!("the block {name} begins with {other:?}"),
        }
    }
    steps
}

fn console(block: &[&str], step: impl Fn(String) -> Step) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    let mut continued = false;
    for line in block {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (_, Some(last)) if continued => last.command += &format!("\n{line}"),
            (Some(command), _) => steps.push(step(command.to_owned())),
            (None, Some(last)) => {
                last.prints.push((*line).to_owned());
                continue;
            }
            (None, None) => panic!("a block begins with output: {line}"),
        }
        continued = line.ends_with('\\');
    }
    steps
}

/// Run them all in one bash; what each printed.
fn run(steps: &[Step], jeton: &Jeton, issuer: &str, password: &str) -> Vec<String> {
    let mut script = "exec 2>&1\n".to_owned();
    for (number, step) in steps.iter().enumerate() {
        script += &format!("printf '\\n{MARK}{number}\\n'\n{}\n", step.command);
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let program = Jeton::program();
    let bin = program.parent().expect("a folder").display();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(folder.path())
        .env_clear()
        .envs(jeton.environment())
        .envs([
            ("PATH", path.as_str()),
            ("ISSUER", issuer),
            ("PASSWORD", password),
        ])
        .stdin(Stdio::null())
        .output()
        .expect("there is a bash");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "a command failed:\n{printed}");
    let mark = format!("\n{MARK}");
    let parts = printed.split(mark.as_str()).skip(1);
    parts
        .map(|part| {
            part.split_once('\n')
                .expect("a line of its own")
                .1
                .to_owned()
        })
        .collect()
}

/// Whether `line` is `pattern`, in which `…` stands for anything.
fn fits(line: &str, pattern: &str) -> bool {
    let mut parts = pattern.trim_end().split('…');
    let line = line.trim_end();
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    match last {
        None => rest.is_empty(),
        Some(last) => rest.is_empty() || line.ends_with(last),
    }
}

#[test]
fn the_commands_of_the_documents_do_what_they_say() {
    let mut blocks = 0;
    for (path, document) in documents() {
        let steps = steps(&document);
        if steps.is_empty() {
            continue;
        }
        blocks += steps.len();
        let jeton = Jeton::new();
        let mut server = jeton.serve();
        server.output.wait_for("shown this once");
        let password = server.output.text().lines().nth(1).unwrap().to_owned();
        let printed = run(&steps, &jeton, &server.url, &password);
        assert_eq!(printed.len(), steps.len());
        for (step, printed) in steps.iter().zip(printed) {
            let mut lines = printed.lines();
            for expected in step.prints.iter().filter(|line| line.trim() != "…") {
                let found = lines.any(|line| fits(line, expected));
                let (path, Step { block, command, .. }) = (path.display(), step);
                assert!(
                    found,
                    "{path}, block {block}: {command}\ndoes not print\n{expected}\nbut\n{printed}"
                );
            }
        }
        server.stop();
    }
    assert!(blocks > 0, "README.md has blocks that are run");
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    for (line, pattern) in [
        ("ok", "ok"),
        ("{\"id\":\"1\",\"a\":2}", "{\"id\":\"…\",\"a\":2}"),
        ("abcabc", "…abc"),
        ("anything", "…"),
        ("", "…"),
        ("ab", "a…"),
    ] {
        assert!(fits(line, pattern), "{line} {pattern}");
    }
    for (line, pattern) in [
        ("okay", "ok"),
        ("ab", "…a"),
        ("xab", "a…"),
        ("", "ok"),
        ("a.b", "a…c"),
    ] {
        assert!(!fits(line, pattern), "{line} {pattern}");
    }
}

/// A link to a file of ours points to one that is there.
#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for (path, document) in documents() {
        for target in document.split("](").skip(1) {
            let target = target.split(')').next().unwrap_or_default();
            let (file, _) = target.split_once('#').unwrap_or((target, ""));
            if file.is_empty() || file.contains(':') {
                continue;
            }
            links += 1;
            let folder = path.parent().expect("a folder");
            let there = folder.join(file).exists();
            assert!(there, "{} links to {target}", path.display());
        }
    }
    assert!(links > 0, "the documents have links");
}
