//! How tokens of other systems look, so that those that were imported are looked up.

/// The longest token of another system that is looked up.
const LONGEST: usize = 512;
/// So many characters of a token have to stay hidden before any of it is shown.
const HIDDEN: usize = 16;
/// Characters that may be shown, to tell one token from another.
const HINT: usize = 4;

/// A format of another system's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreign {
    /// They begin so.
    Prefix(String),
    /// An id, a bar and the secret, which alone is hashed (Laravel Sanctum).
    AfterBar,
    /// There is nothing to tell them by.
    Any,
}

impl Foreign {
    /// Read a setting: `pat_`, `|` or `*`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "|" => Ok(Self::AfterBar),
            "*" => Ok(Self::Any),
            prefix
                if prefix
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'*') =>
            {
                Ok(Self::Prefix(prefix.to_owned()))
            }
            other => Err(format!("{other:?} is no beginning of a token, nor | nor *")),
        }
    }

    /// What is hashed of a presented token of this format, and how much of that may be shown; `None` if it is of another.
    pub fn read<'a>(&self, presented: &'a str) -> Option<(&'a str, usize)> {
        let fits = (1..=LONGEST).contains(&presented.len())
            && presented.bytes().all(|byte| byte.is_ascii_graphic());
        let (secret, shown) = match self {
            _ if !fits => return None,
            Self::Prefix(prefix) => {
                presented.strip_prefix(prefix.as_str())?;
                (presented, prefix.len())
            }
            Self::AfterBar => {
                let (id, secret) = presented.split_once('|')?;
                let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
                (is_id && !secret.is_empty()).then_some((secret, 0))?
            }
            Self::Any => (presented, 0),
        };
        let room = secret.len() - shown >= HINT + HIDDEN;
        Some((secret, if room { shown + HINT } else { shown }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_reads_its_own_tokens() {
        let long = "0123456789abcdefghij";
        let logto = format!("pat_{long}");
        let prefix = Foreign::parse("pat_").unwrap();
        assert_eq!(prefix.read(&logto), Some((logto.as_str(), 8)));
        assert_eq!(prefix.read("pat_short"), Some(("pat_short", 4)));
        assert_eq!(prefix.read(long), None);
        let sanctum = format!("12|{long}");
        let bar = Foreign::parse("|").unwrap();
        assert_eq!(bar.read(&sanctum), Some((long, 4)));
        for other in ["x|secret", "|secret", "12|", "12"] {
            assert_eq!(bar.read(other), None, "{other}");
        }
        let any = Foreign::parse("*").unwrap();
        assert_eq!(any.read(long), Some((long, 4)));
        for bad in ["", "a b", "a\0b", "é", &"x".repeat(513)] {
            assert_eq!(any.read(bad), None, "{bad:?}");
        }
        assert!(Foreign::parse("a b").is_err() && Foreign::parse("a*").is_err());
    }
}
