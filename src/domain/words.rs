//! Sets of words with a space between them, as OAuth writes scopes (RFC 6749 §3.3).

use std::fmt;
use std::marker::PhantomData;

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Text;

use crate::db::column::column;

/// What a word of a set may look like.
pub trait Word: 'static {
    fn is_valid(word: &str) -> bool;
}

/// A scope-token: printable ASCII without space, `"` and `\` (RFC 6749 §3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScopeToken {}

impl Word for ScopeToken {
    fn is_valid(word: &str) -> bool {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
    }
}

/// The URI of a resource server (RFC 8707 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceUri {}

impl Word for ResourceUri {
    fn is_valid(word: &str) -> bool {
        !word.contains(|c: char| c.is_whitespace() || c == '#')
            && url::Url::parse(word).is_ok_and(|url| url.has_host() && url.username().is_empty())
    }
}

/// The name of a type of authorization details (RFC 9396 §2): like a scope-token, and at most 64 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DetailsTypeName {}

impl Word for DetailsTypeName {
    fn is_valid(word: &str) -> bool {
        word.len() <= 64 && ScopeToken::is_valid(word)
    }
}

/// What a token may do.
pub type Scope = Words<ScopeToken>;

/// Which resource servers a token is for.
pub type Audience = Words<ResourceUri>;

/// Types of authorization details.
pub type DetailsTypes = Words<DetailsTypeName>;

/// A set of words, sorted, each once. Kept as the text it is stored and printed as.
#[derive(AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Words<W: Word>(String, PhantomData<W>);

impl<W: Word> Words<W> {
    /// Read a list with single or several spaces between its words; the first bad word is the error.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split(' ')
            .filter(|word| !word.is_empty())
            .map(Self::word)
            .collect::<Result<_, _>>()
    }

    /// Check one word.
    fn word(word: &str) -> Result<&str, String> {
        if W::is_valid(word) {
            Ok(word)
        } else {
            Err(word.to_owned())
        }
    }

    /// Read words that came one by one; the first bad one is the error.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        words.into_iter().map(Self::word).collect::<Result<_, _>>()
    }

    /// The words with a space between them, in order.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no word in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each word, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|word| !word.is_empty())
    }

    /// Whether this word is one of them.
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|mine| mine == word)
    }

    /// Whether every word of `other` is here too.
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|word| self.contains(word))
    }

    /// The words that `keep` says yes to.
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        self.iter().filter(|word| keep(word)).collect()
    }

    /// The words that are in both.
    pub fn shared_with(&self, other: &Self) -> Self {
        self.only(|word| other.contains(word))
    }

    /// The words that are in either.
    pub fn joined_with(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }
}

impl<'a, W: Word> FromIterator<&'a str> for Words<W> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(words: I) -> Self {
        let mut words: Vec<&str> = words.into_iter().collect();
        words.sort_unstable();
        words.dedup();
        Self(words.join(" "), PhantomData)
    }
}

impl<W: Word> Clone for Words<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<W: Word> Default for Words<W> {
    fn default() -> Self {
        Self(String::new(), PhantomData)
    }
}

impl<W: Word> PartialEq for Words<W> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<W: Word> Eq for Words<W> {}

impl<W: Word> fmt::Display for Words<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<W: Word> fmt::Debug for Words<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

column!(Words<W>: Text, str as String, |words| words.0.as_str(), |text| Ok(Words(text, PhantomData)), W: Word);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_prints_sorted_and_each_word_once() {
        let scope = Scope::parse("notes:write  notes:read notes:write").unwrap();
        assert_eq!(scope.as_str(), "notes:read notes:write");
    }

    #[test]
    fn a_scope_has_no_quotes_backslashes_controls_or_letters_beyond_ascii() {
        for bad in ["a\"b", "a\\b", "a\tb", "é", "a\u{7f}"] {
            assert_eq!(Scope::parse(bad), Err(bad.to_owned()));
        }
    }

    #[test]
    fn one_scope_covers_another_by_words_not_by_letters() {
        let wide = Scope::parse("notes:read notes:write").unwrap();
        assert!(wide.covers(&Scope::parse("notes:write").unwrap()));
        assert!(wide.covers(&Scope::default()));
        assert!(!wide.covers(&Scope::parse("notes").unwrap()));
    }

    #[test]
    fn a_resource_is_an_absolute_uri_without_fragment() {
        assert!(Audience::parse("https://notes.example/api").is_ok());
        for bad in ["notes", "/notes", "https://notes.example/#x", "urn:"] {
            assert!(Audience::parse(bad).is_err(), "{bad}");
        }
    }
}
