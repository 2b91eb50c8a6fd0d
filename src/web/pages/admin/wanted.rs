//! What the filter of the page says.

use crate::app::App;
use crate::domain::personal_token::filter::Search;
use crate::domain::tx::{Actor, Rx};
use crate::domain::user::User;
use crate::oauth::Params;
use crate::web::pages::{Error, with_query};

/// The fields of the filter's form, which are the API's, but that people are named in `user` and `createdBy`.
const FIELDS: [&str; 15] = [
    "user",
    "ownerKind",
    "createdBy",
    "search",
    "status",
    "scope",
    "audience",
    "createdAfter",
    "createdBefore",
    "expiresAfter",
    "expiresBefore",
    "lastUsedBefore",
    "neverUsed",
    "neverExpires",
    "sort",
];

/// A filter as it stands in the form and in links.
#[derive(Clone, Default)]
pub struct Wanted {
    fields: Vec<(&'static str, String)>,
    cursor: Option<String>,
}

impl Wanted {
    pub fn of(params: &Params) -> Self {
        let said = FIELDS.into_iter();
        let said = said.filter_map(|name| Some((name, params.get(name)?.trim().to_owned())));
        Self {
            fields: said.filter(|(_, text)| !text.is_empty()).collect(),
            cursor: params.get("cursor").map(str::to_owned),
        }
    }

    /// What stands in a field.
    pub fn text(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(each, _)| *each == name);
        field.map_or("", |(_, text)| text)
    }

    /// Whether just this stands in a field.
    pub fn is(&self, name: &str, text: &str) -> bool {
        self.text(name) == text
    }

    /// All fields that something stands in.
    pub fn fields(&self) -> &[(&'static str, String)] {
        &self.fields
    }

    /// Whether it leaves any token out.
    pub fn narrows(&self) -> bool {
        self.fields.iter().any(|(name, _)| *name != "sort")
    }

    /// Whether anything stands in the fields that are folded away.
    pub fn says_more(&self) -> bool {
        let plain = ["search", "status", "sort"];
        self.fields.iter().any(|(name, _)| !plain.contains(name))
    }

    pub fn is_first_page(&self) -> bool {
        self.cursor.is_none()
    }

    /// The same, from its first page on.
    pub fn whole(self) -> Self {
        Self {
            cursor: None,
            ..self
        }
    }

    /// `path` with this filter, and more parameters.
    pub fn link(&self, path: &str, more: &[(&str, &str)]) -> String {
        let fields = self
            .fields
            .iter()
            .map(|(name, text)| (*name, text.as_str()));
        let pairs: Vec<(&str, &str)> = fields.chain(more.iter().copied()).collect();
        with_query(path, &pairs)
    }

    /// What is searched for by it; a sentence, if it says nothing that can be.
    pub async fn search(&self, app: &App) -> Result<Result<Search, String>, Error> {
        let wanted = self.clone();
        Ok(app.query(move |rx| wanted.read(rx)).await?)
    }

    fn read(&self, rx: &mut Rx) -> diesel::QueryResult<Result<Search, String>> {
        let mut pairs: Vec<(&str, String)> = vec![];
        for (name, text) in &self.fields {
            match *name {
                "user" => match User::named(rx, text)? {
                    Some(user) => pairs.push(("userId", user.id.to_string())),
                    None => return Ok(Err(format!("There is no user {text:?}."))),
                },
                // Whoever is no person has two words, or a kind before their name.
                "createdBy" if !text.contains([':', ' ']) && text != "system" => {
                    match User::named(rx, text)? {
                        Some(user) => pairs.push((name, Actor::User(user.id).to_string())),
                        None => return Ok(Err(format!("There is no user {text:?}."))),
                    }
                }
                _ => pairs.push((name, text.clone())),
            }
        }
        pairs.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        let pairs = pairs.iter().map(|(name, text)| (*name, text.as_str()));
        Ok(Search::read(pairs).map_err(|error| error.to_string()))
    }
}
