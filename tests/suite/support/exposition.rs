//! Prometheus' text format, read as strictly as it is written down: https://prometheus.io/docs/instrumenting/exposition_formats/

use std::collections::{BTreeMap, BTreeSet};

use super::Server;

/// What a server tells Prometheus at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposition {
    pub text: String,
    /// Values by name and labels, as they are written: `jeton_tokens{kind="pat",state="live"}`.
    pub values: BTreeMap<String, f64>,
}

impl Exposition {
    pub fn of(server: &Server) -> Self {
        Self::read(server.app.metrics_text().expect("the metrics can be had"))
    }

    /// Read a text, every line of which has to be good: HELP and TYPE of a metric, and then its samples.
    pub fn read(text: String) -> Self {
        let (mut values, mut families) = (BTreeMap::new(), BTreeSet::new());
        let (mut helped, mut family, mut kind) = (String::new(), String::new(), String::new());
        assert!(text.ends_with('\n'), "the last line ends");
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect("a name and a help");
                assert!(is_name(name) && help.len() > 10, "{line}");
                helped = name.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, of) = rest.split_once(' ').expect("a name and a type");
                assert_eq!(name, helped, "a metric has a HELP before its TYPE");
                assert!(["counter", "gauge", "histogram"].contains(&of), "{line}");
                assert!(families.insert(name.to_owned()), "{name} is there twice");
                (family, kind) = (name.to_owned(), of.to_owned());
            } else {
                let (series, value) = sample(line);
                let name = series.split('{').next().expect("a name");
                let suffix = name.strip_prefix(family.as_str());
                let fits = match kind.as_str() {
                    "counter" => suffix == Some("") && name.ends_with("_total"),
                    "gauge" => suffix == Some("") && !name.ends_with("_total"),
                    _ => suffix.is_some_and(|it| ["_bucket", "_sum", "_count"].contains(&it)),
                };
                assert!(fits, "{line} is of no {kind} {family}");
                assert_eq!(values.insert(series, value), None, "{line} is there twice");
            }
        }
        Self { text, values }
    }

    /// The value of one series; 0 if there is none yet.
    pub fn value(&self, series: &str) -> f64 {
        self.values.get(series).copied().unwrap_or_default()
    }

    /// All of Jeton's own counters that another moment has moved on, and how far. Those of HTTP are left out, for every
    /// act is a request.
    pub fn moved(&self, later: &Exposition) -> BTreeMap<String, f64> {
        let counters = later.values.iter().filter(|(series, _)| {
            series.contains("_total{")
                && series.starts_with("jeton_")
                && !series.starts_with("jeton_http_")
        });
        counters
            .map(|(series, value)| (series.clone(), value - self.value(series)))
            .filter(|(_, by)| *by != 0.0)
            .collect()
    }
}

/// What an act has moved, against what it should have.
pub struct Watch<'a> {
    server: &'a Server,
    pub before: Exposition,
}

impl<'a> Watch<'a> {
    pub fn on(server: &'a Server) -> Self {
        let before = Exposition::of(server);
        Self { server, before }
    }

    /// These series moved by so much since the last look, and no other counter did.
    pub fn saw(&mut self, what: &str, expected: &[(&str, f64)]) {
        let now = Exposition::of(self.server);
        let moved = self.before.moved(&now);
        let expected: BTreeMap<String, f64> = expected
            .iter()
            .map(|(series, by)| ((*series).to_owned(), *by))
            .collect();
        assert_eq!(moved, expected, "{what}");
        self.before = now;
    }
}

/// `name{label="value",…} number`
fn sample(line: &str) -> (String, f64) {
    let (series, value) = line.rsplit_once(' ').expect("a series and a value");
    let value = value
        .parse()
        .unwrap_or_else(|_| panic!("no number: {line}"));
    let Some((name, labels)) = series.split_once('{') else {
        assert!(is_name(series), "{line}");
        return (series.to_owned(), value);
    };
    assert!(is_name(name), "{line}");
    let labels = labels.strip_suffix('}').expect("labels end");
    for label in labels.split(',') {
        let (name, word) = label.split_once('=').expect("a label and its value");
        let word = word
            .strip_prefix('"')
            .and_then(|word| word.strip_suffix('"'));
        let word = word.expect("a quoted value");
        assert!(is_name(name) && !name.contains(':'), "{line}");
        // Ours need no escapes, and have no commas.
        assert!(!word.contains(['"', '\\']), "{line}");
    }
    (series.to_owned(), value)
}

fn is_name(name: &str) -> bool {
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(begins) && name.chars().all(|c| begins(c) || c.is_ascii_digit())
}
