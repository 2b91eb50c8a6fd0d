//! Finding secrets of any Jeton in whatever bytes there are, by their form and their checksum.

use super::secret::{BODY, CHECK, HINT, SecretKind, checksum_holds, is_brand};

/// What stands for any server's brand in a regular expression.
pub const ANY_BRAND: &str = "[a-z][a-z0-9]{1,8}";

/// The characters behind `brand_type_`.
const REST: usize = BODY + CHECK;
/// No secret has more characters.
const LONGEST: usize = 64;
/// So many characters of one word are kept before all but its end is forgotten.
const ROOM: usize = 4096;

/// The regular expression of secrets of these kinds, in the words that RE2, Go, Rust and PCRE share. Every character of a
/// secret is one of a word, so that it ends where a word does.
pub fn pattern(brand: &str, kinds: impl Iterator<Item = SecretKind>) -> String {
    let kinds: Vec<&str> = kinds.map(SecretKind::as_str).collect();
    format!(r"\b{brand}_(?:{})_[0-9A-Za-z]{{{REST}}}\b", kinds.join("|"))
}

/// A place where a secret of some Jeton stands, or what looks like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// From 1.
    pub line: u64,
    /// In characters, from 1.
    pub column: u64,
    /// Where it begins, in bytes from 0.
    pub offset: u64,
    /// In bytes.
    pub length: usize,
    /// What of it may be shown.
    pub hint: String,
    pub kind: SecretKind,
    /// Whether its checksum holds. Of a billion words that only look like a secret, it holds for none.
    pub genuine: bool,
}

/// Reads a stream piece by piece, in little memory however long its lines are.
#[derive(Default)]
pub struct Scanner {
    /// Lines that have ended.
    lines: u64,
    /// Characters of this line so far.
    column: u64,
    /// Bytes so far.
    offset: u64,
    /// The end of the word under way, and how long all of it is.
    word: Vec<u8>,
    length: u64,
}

impl Scanner {
    /// Read on; what is found is handed to `found`.
    pub fn read(&mut self, bytes: &[u8], found: &mut impl FnMut(Sighting)) {
        for &byte in bytes {
            if byte == b'_' || byte.is_ascii_alphanumeric() {
                self.push(byte);
            } else {
                self.end(found);
                match byte {
                    b'\n' => (self.lines, self.column) = (self.lines + 1, 0),
                    // Of a character of UTF-8, its first byte counts.
                    0x80..=0xbf => {}
                    _ => self.column += 1,
                }
            }
            self.offset += 1;
        }
    }

    /// Here the stream ends, or at least a word does.
    pub fn end(&mut self, found: &mut impl FnMut(Sighting)) {
        let whole = self.length == self.word.len() as u64;
        if let Some((length, kind, genuine)) = secret_at_end(&self.word, whole) {
            let secret = &self.word[self.word.len() - length..];
            found(Sighting {
                line: self.lines + 1,
                column: self.column - length as u64 + 1,
                offset: self.offset - length as u64,
                length,
                hint: String::from_utf8_lossy(&secret[..length - REST + HINT]).into_owned(),
                kind,
                genuine,
            });
        }
        self.word.clear();
        self.length = 0;
    }

    fn push(&mut self, byte: u8) {
        if self.word.len() == ROOM {
            self.word.drain(..ROOM - LONGEST);
        }
        self.word.push(byte);
        self.length += 1;
        self.column += 1;
    }
}

/// The secret that a word ends with: its length, its kind and whether its checksum holds. Something may stick to its front,
/// such as the `n` of a `\n`, and then the checksum tells where it begins; a mere look-alike is a word of its own.
fn secret_at_end(word: &[u8], whole: bool) -> Option<(usize, SecretKind, bool)> {
    let text = std::str::from_utf8(word).ok()?;
    let (head, rest) = text.split_at_checked(text.len().checked_sub(REST)?)?;
    if rest.contains('_') {
        return None;
    }
    let (before, kind) = head.strip_suffix('_')?.rsplit_once('_')?;
    let kind = SecretKind::ALL.into_iter().find(|k| k.as_str() == kind)?;
    let lengths = (2..=9).filter(|length| *length <= before.len());
    let genuine = lengths
        .map(|length| &text[before.len() - length..])
        .find(|secret| {
            let brand = secret.split('_').next().unwrap_or_default();
            is_brand(brand) && checksum_holds(secret)
        });
    match genuine {
        Some(secret) => Some((secret.len(), kind, true)),
        None => (whole && is_brand(before)).then_some((text.len(), kind, false)),
    }
}

/// `text` with all secrets cut to their hints, so that it may be kept.
pub fn redacted(text: &str) -> String {
    let mut sightings = vec![];
    let mut found = |sighting| sightings.push(sighting);
    let mut scanner = Scanner::default();
    scanner.read(text.as_bytes(), &mut found);
    scanner.end(&mut found);
    let mut kept = String::with_capacity(text.len());
    let mut rest = 0;
    for Sighting {
        offset,
        length,
        hint,
        ..
    } in sightings
    {
        let begin = offset as usize;
        kept.push_str(&text[rest..begin]);
        kept.push_str(&hint);
        kept.push('…');
        rest = begin + length;
    }
    kept + &text[rest..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Brands;

    fn minted(kind: SecretKind) -> String {
        let brands = Brands::new(vec!["acme".to_owned()]).unwrap();
        brands.mint(kind).expose().to_owned()
    }

    /// All that is found when the text comes in pieces of this size.
    fn scan(text: &[u8], piece: usize) -> Vec<Sighting> {
        let mut sightings = vec![];
        let mut found = |sighting| sightings.push(sighting);
        let mut scanner = Scanner::default();
        for piece in text.chunks(piece) {
            scanner.read(piece, &mut found);
        }
        scanner.end(&mut found);
        sightings
    }

    #[test]
    fn what_is_found_does_not_depend_on_where_a_piece_ends() {
        let [one, two] = [SecretKind::PersonalAccessToken, SecretKind::ClientSecret].map(minted);
        let text = format!("é = \"{one}\"\n\n{}\n  {two}", "a".repeat(3 * ROOM));
        let whole = scan(text.as_bytes(), text.len());
        let places: Vec<_> = whole.iter().map(|s| (s.line, s.column, s.kind)).collect();
        assert_eq!(
            places,
            [
                (1, 6, SecretKind::PersonalAccessToken),
                (4, 3, SecretKind::ClientSecret)
            ]
        );
        assert!(whole.iter().all(|s| s.genuine));
        assert_eq!(whole[0].hint, one[..13]);
        for piece in [1, 2, 57, 58, 59, 4096] {
            assert_eq!(scan(text.as_bytes(), piece), whole, "{piece}");
        }
    }

    #[test]
    fn what_sticks_to_the_front_of_a_secret_does_not_hide_it() {
        let secret = minted(SecretKind::RefreshToken);
        let [near, long] = [ROOM - 50, ROOM + 7].map(|length| "x".repeat(length));
        for front in ["n", "3D", "TOKEN_", "__", "n9", "9", &near, &long] {
            let text = format!("{front}{secret}");
            let found = scan(text.as_bytes(), 100);
            assert_eq!(found.len(), 1, "{front}");
            assert!(found[0].genuine);
            assert_eq!(found[0].offset as usize, front.len(), "{front}");
            assert_eq!(found[0].hint, secret[..12], "{front}");
        }
    }

    #[test]
    fn a_look_alike_is_told_from_a_secret() {
        let secret = minted(SecretKind::AccessToken);
        let last = if secret.ends_with('0') { "1" } else { "0" };
        let mangled = format!("{}{last}", &secret[..secret.len() - 1]);
        let found = scan(mangled.as_bytes(), 100);
        assert_eq!(found.len(), 1);
        assert!(!found[0].genuine);
        for other in [
            &secret[1..20],
            &secret[..secret.len() - 1],
            &format!("{secret}0"),
            &format!("x-{mangled}_"),
            &format!("Z{mangled}"),
            &mangled.replace("_at_", "_xt_"),
        ] {
            assert_eq!(scan(other.as_bytes(), 100), [], "{other}");
        }
    }

    #[test]
    fn a_text_is_kept_without_its_secrets() {
        let secret = minted(SecretKind::PersonalAccessToken);
        let url = format!("https://é:{secret}@git.example/?t={secret}&x");
        let hint = &secret[..13];
        assert_eq!(
            redacted(&url),
            format!("https://é:{hint}…@git.example/?t={hint}…&x")
        );
        assert_eq!(redacted("nothing"), "nothing");
    }
}
