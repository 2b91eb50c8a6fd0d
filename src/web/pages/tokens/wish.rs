//! What the form for a new token says.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::{Timestamp, parse_duration};
use crate::domain::limits::{Limits, Networks};
use crate::domain::personal_token::{End, Problem};
use crate::domain::resource::Catalogue;
use crate::domain::words::{Audience, Scope};
use crate::oauth::Params;
use crate::web::pages::when::from_input;
use crate::web::pages::with_query;

/// What the form says, whether it can be had or not: it is shown again as it was.
#[derive(Default)]
pub(super) struct Wish {
    pub name: String,
    pub description: String,
    /// Ticked, each as "resource scope".
    pub ticked: BTreeSet<String>,
    /// The chosen expiry; empty for the one that is preselected.
    pub expires: String,
    pub custom: String,
    /// Networks, with spaces, commas or lines between them.
    pub networks: String,
    /// How long it may lie unused: "60d", or empty for ever.
    pub idle: String,
    /// When it begins; empty for now.
    pub not_before: String,
    /// The fields of authorization details, each with its values.
    pub details: BTreeMap<String, Vec<String>>,
    /// What it is for, to the administrator who approves it.
    pub reason: String,
}

impl Wish {
    pub fn posted(form: &Params) -> Self {
        let text = |name| form.get(name).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            ticked: form.all("scope").map(str::to_owned).collect(),
            expires: text("expires"),
            custom: text("expires_at"),
            networks: text("networks"),
            idle: text("idle"),
            not_before: text("not_before"),
            details: details(form),
            reason: text("reason"),
        }
    }

    /// What a link asks for: `?name=ci&scopes=notes:read&resources=https://…&expires=30d`. It is only shown, never
    /// sent by itself.
    pub fn linked(query: &Params, catalogue: &Catalogue) -> Self {
        let list = |name: &str| -> Vec<String> {
            let text = query.get(name).unwrap_or_default();
            text.split([' ', ','])
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let (scopes, resources) = (list("scopes"), list("resources"));
        let meant = catalogue
            .iter()
            .filter(|(resource, _)| resources.is_empty() || resources.contains(&resource.uri));
        let ticked = meant.flat_map(|(resource, definitions)| {
            let asked = definitions
                .iter()
                .filter(|definition| scopes.contains(&definition.name));
            asked.map(|definition| value(&resource.uri, &definition.name))
        });
        Self {
            name: query.get("name").unwrap_or_default().to_owned(),
            description: query.get("description").unwrap_or_default().to_owned(),
            ticked: ticked
                .chain(query.all("scope").map(str::to_owned))
                .collect(),
            expires: query.get("expires").unwrap_or_default().to_owned(),
            custom: query.get("expires_at").unwrap_or_default().to_owned(),
            networks: query.get("networks").unwrap_or_default().to_owned(),
            idle: query.get("idle").unwrap_or_default().to_owned(),
            not_before: query.get("not_before").unwrap_or_default().to_owned(),
            details: details(query),
            reason: query.get("reason").unwrap_or_default().to_owned(),
        }
    }

    /// The link that brings the form below `home` back as it is, box by box.
    pub fn as_link(&self, home: &str) -> String {
        let mut pairs = vec![
            ("name", self.name.as_str()),
            ("description", &self.description),
            ("expires", &self.expires),
            ("expires_at", &self.custom),
            ("networks", &self.networks),
            ("idle", &self.idle),
            ("not_before", &self.not_before),
            ("reason", &self.reason),
        ];
        pairs.extend(self.ticked.iter().map(|ticked| ("scope", ticked.as_str())));
        for (field, values) in &self.details {
            pairs.extend(values.iter().map(|value| (field.as_str(), value.as_str())));
        }
        with_query(&format!("{home}/new"), &pairs)
    }

    /// The values of a field of authorization details.
    pub fn detail(&self, field: &str) -> impl Iterator<Item = &str> {
        let values = self.details.get(field).into_iter().flatten();
        values.map(String::as_str)
    }

    /// Whether any field is filled in whose name begins so.
    pub fn says_more(&self, begin: &str) -> bool {
        self.details.keys().any(|field| field.starts_with(begin))
    }

    /// The scope and audience that the ticks add up to, beside details that are for `of_details`. A token holds a scope at
    /// each of its resources that defines it (RFC 8707 §2), so a box that is not ticked must not be what the ticked ones imply.
    pub fn rights(
        &self,
        of_details: Audience,
        catalogue: &Catalogue,
    ) -> Result<(Scope, Audience), String> {
        let pairs = self
            .ticked
            .iter()
            .filter_map(|ticked| ticked.split_once(' '));
        let (uris, words): (Vec<&str>, Vec<&str>) = pairs.unzip();
        let unreadable = |word| format!("There is no permission {word}.");
        let scope = Scope::of(words).map_err(unreadable)?;
        let audience = Audience::of(uris).map_err(unreadable)?;
        let audience = audience.joined_with(&of_details);
        for (resource, definitions) in catalogue.within(&audience).iter() {
            let implied = definitions.iter().find(|definition| {
                let ticked = self
                    .ticked
                    .contains(&value(&resource.uri, &definition.name));
                scope.contains(&definition.name) && !ticked
            });
            if let Some(definition) = implied {
                return Err(format!(
                    "{} is a permission of more than one of the resources you chose, and a token has it at all of them. \
                     Tick it at {} too, or make two tokens.",
                    definition.name, resource.name
                ));
            }
        }
        Ok((scope, audience))
    }

    /// What limits it besides its rights; the field and the sentence of what is wrong.
    pub fn limits(&self) -> Result<Limits, (&'static str, String)> {
        let networks = networks(&self.networks);
        let networks = networks.map_err(|problem| ("networks", problem.to_string()))?;
        let idle = match self.idle.as_str() {
            "" => None,
            life => {
                let wrong = || ("idle", Problem::IdleLife.to_string());
                Some(parse_duration(life).ok_or_else(wrong)?)
            }
        };
        let not_before = match self.not_before.as_str() {
            "" => None,
            at => {
                let wrong = || ("not_before", "Choose a day and a time.".to_owned());
                Some(from_input(at).ok_or_else(wrong)?)
            }
        };
        Ok(Limits::new(networks, not_before, idle))
    }

    pub fn end(&self, now: Timestamp) -> Result<End, &'static str> {
        match self.expires.as_str() {
            "never" => Ok(End::Never),
            "custom" => from_input(&self.custom)
                .map(End::At)
                .ok_or("Choose a day and a time."),
            preset => {
                let life = parse_duration(preset).ok_or("Choose when the token ends.")?;
                Ok(End::At(now.whole_second() + life))
            }
        }
    }
}

/// The fields of authorization details.
fn details(form: &Params) -> BTreeMap<String, Vec<String>> {
    let is_ours = |name: &&str| name.split(' ').next() == Some(super::details::FIELD);
    let fields = form.names().filter(is_ours).map(|name| {
        let values = form.all(name).map(str::to_owned);
        (name.to_owned(), values.collect())
    });
    fields.collect()
}

/// Networks as people write them into a field.
pub(super) fn networks(written: &str) -> Result<Networks, Problem> {
    let words = written.split([' ', ',', '\n', '\r', '\t']);
    Networks::read(words.filter(|word| !word.is_empty())).map_err(Problem::Network)
}

pub(super) fn value(uri: &str, scope: &str) -> String {
    format!("{uri} {scope}")
}
