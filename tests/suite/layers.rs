//! The house rules of the source: which way the stack points, what only one place may do, how long things may be.
//! They are read off the text of `src`, which rustfmt keeps in one shape.

use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What each layer may use, besides itself. `jobs::last_used` and `jobs::denials` stand for these modules
/// alone.
const MAY_USE: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "jobs", "web", "oauth", "metrics", "domain", "db", "app", "config", "clock",
        ],
    ),
    ("jobs", &["oauth", "domain", "db", "app", "config", "clock"]),
    (
        "web",
        &[
            "oauth", "metrics", "traces", "domain", "db", "app", "config", "clock",
        ],
    ),
    (
        "app",
        &[
            "metrics",
            "traces",
            "domain",
            "db",
            "config",
            "clock",
            "jobs::last_used",
            "jobs::denials",
        ],
    ),
    ("metrics", &["oauth", "domain"]),
    ("traces", &["metrics", "domain"]),
    ("oauth", &["domain", "db", "config", "clock"]),
    ("domain", &["db", "config", "clock"]),
    ("db", &["config", "clock"]),
    ("config", &["domain", "db", "clock"]),
    ("clock", &["db::column"]),
];

/// One file of `src`.
struct Source {
    /// Such as `src/web/pages/mod.rs`.
    path: String,
    /// All of it.
    text: String,
    /// Without comments, and without the unit tests, which stand at the end.
    code: String,
}

impl Source {
    fn all() -> Vec<Self> {
        let mut found = vec![];
        collect(&Path::new(ROOT).join("src"), &mut found);
        found.sort_by(|one, other| one.path.cmp(&other.path));
        assert!(found.len() > 50, "only {} files were found", found.len());
        found
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a source file is text");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code = code
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
            .collect::<Vec<_>>()
            .join("\n");
        let path = path.strip_prefix(ROOT).expect("a path below the root");
        Self {
            path: path.to_str().expect("a plain path").to_owned(),
            text,
            code,
        }
    }

    /// The names of its module and of those around it: `["web", "pages"]` for `src/web/pages/mod.rs`.
    fn modules(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.trim_end_matches("/mod").split('/').collect()
    }

    /// `web` for all below `src/web`.
    fn layer(&self) -> &str {
        self.modules()[0]
    }

    /// All that follows `crate::` anywhere, as far as it is a path: `domain::grant::Grant`.
    fn uses(&self) -> impl Iterator<Item = &str> {
        self.code.split("crate::").skip(1).map(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || "_:".contains(c)));
            &rest[..end.unwrap_or(rest.len())]
        })
    }

    fn names(&self, word: &str) -> bool {
        let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(word).any(|(at, _)| {
            !self.code[..at].ends_with(part_of_a_word)
                && !self.code[at + word.len()..].starts_with(part_of_a_word)
        })
    }
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(Source::read(&path));
        }
    }
}

/// The files that name `word` are these, and no other.
fn only_in(word: &str, may: &[&str]) {
    let naming: Vec<String> = Source::all()
        .into_iter()
        .filter(|source| source.names(word))
        .map(|source| source.path)
        .collect();
    assert!(!naming.is_empty(), "{word} is nowhere: the rule is void");
    let others: Vec<&String> = naming
        .iter()
        .filter(|path| !may.iter().any(|start| path.starts_with(start)))
        .collect();
    assert!(others.is_empty(), "{word} is for {may:?}, not {others:?}");
}

/// `cli`, `jobs` → `web` → `oauth` → `domain` → `db`: a layer uses those below it and none above it.
#[test]
fn the_stack_has_one_direction() {
    let mut seen = 0;
    for source in Source::all() {
        let layer = source.layer();
        if ["lib", "main"].contains(&layer) {
            continue;
        }
        let (_, may) = MAY_USE
            .iter()
            .find(|(name, _)| *name == layer)
            .unwrap_or_else(|| panic!("{} is in no layer that there is", source.path));
        for used in source.uses() {
            seen += 1;
            let below = |name: &str| used == name || used.starts_with(&format!("{name}::"));
            let fine = below(layer) || may.iter().any(|name| below(name));
            assert!(fine, "{} uses crate::{used}", source.path);
        }
    }
    assert!(seen > 200, "only {seen} paths were found");
}

/// What the rule above can't see is not done: `crate::{…}` names several layers at once, and enough `super::` leads out
/// of a layer by its back door.
#[test]
fn a_layer_is_left_by_its_name() {
    for source in Source::all() {
        assert!(!source.code.contains("crate::{"), "{}", source.path);
        let depth = source.modules().len();
        let climbs = format!("super::{}", "super::".repeat(depth - 1));
        assert!(!source.code.contains(&climbs), "{}", source.path);
    }
}

/// oxide-auth's types stay behind one file: the rest of the server speaks its own.
#[test]
fn only_the_engine_names_oxide_auth() {
    only_in("oxide_auth", &["src/oauth/engine.rs"]);
}

/// Nobody above `db` can tell which database there is.
#[test]
fn only_the_database_layer_names_a_database() {
    for word in [
        "PgConnection",
        "SqliteConnection",
        "dialect",
        "MultiConnection",
        "batch_execute",
    ] {
        only_in(word, &["src/db/"]);
    }
    for source in Source::all() {
        let sql = source.names("sql_query") && source.layer() != "db";
        assert!(!sql, "{} has SQL of its own", source.path);
    }
}

/// Only the clock asks what time it is; how long something took is not the time.
#[test]
fn only_the_clock_asks_the_system_for_the_time() {
    only_in("Utc::now", &["src/clock.rs"]);
    only_in("Instant", &["src/web/telemetry.rs"]);
    for source in Source::all() {
        for word in ["SystemTime", "Local"] {
            assert!(!source.names(word), "{} names {word}", source.path);
        }
    }
}

/// A panic has to give its reason: `expect` may stand, `unwrap` may not. Nothing is unsafe.
#[test]
fn nothing_is_unsafe_and_nothing_panics_without_a_reason() {
    for source in Source::all() {
        for word in [
            "unsafe",
            "unwrap()",
            "unwrap_err()",
            "todo!",
            "unimplemented!",
            "dbg!",
        ] {
            assert!(!source.code.contains(word), "{} has {word}", source.path);
        }
    }
}

/// Nothing is so long that it can't be read in one sitting: 400 lines a file, 80 a function.
#[test]
fn files_and_functions_are_short() {
    let mut long = vec![];
    let mut functions = 0;
    for source in Source::all() {
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > 400 {
            long.push(format!("{} has {} lines", source.path, lines.len()));
        }
        for (begin, head) in lines.iter().enumerate() {
            let indent = head.len() - head.trim_start().len();
            if !is_function(head.trim_start()) {
                continue;
            }
            functions += 1;
            // rustfmt puts a function's last brace under its first letter.
            let last = format!("{}}}", " ".repeat(indent));
            let length = lines[begin..].iter().position(|line| *line == last);
            if let Some(length) = length.filter(|length| *length >= 80) {
                long.push(format!(
                    "{}: {} has {} lines",
                    source.path,
                    head.trim(),
                    length + 1
                ));
            }
        }
    }
    assert!(functions > 300, "only {functions} functions were found");
    assert!(long.is_empty(), "{long:#?}");
}

fn is_function(line: &str) -> bool {
    // What ends in the same line needs no counting.
    let words = line.split('(').next().unwrap_or_default();
    let named = words.split(' ').any(|word| word == "fn");
    named
        && !line.starts_with("//")
        && !line.starts_with('"')
        && !line.ends_with('}')
        && !line.ends_with(';')
}

/// RUSTSEC-2023-0071: the `rsa` crate's private-key operations leak the key through their timing.
#[test]
fn the_rsa_crate_is_not_among_the_dependencies() {
    let lock = fs::read_to_string(Path::new(ROOT).join("Cargo.lock")).expect("there is a lock");
    assert!(lock.contains("\nname = \"jeton\"\n"));
    assert!(!lock.contains("\nname = \"rsa\"\n"));
}
