//! The path of a request, read in the one way in which the service behind the proxy can read it. Where there are two, as
//! with `//`, `..` or an encoded slash, there is no such path: a rule must not be got round by another spelling.

/// A path by its segments, decoded. A slash at its end says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Read the path of a request, which begins with a slash and has no query any more; `None` if it can be read in two
    /// ways.
    pub fn parse(raw: &str) -> Option<Self> {
        let segments = raw.strip_prefix('/')?.split('/').map(decoded);
        let mut segments = segments.collect::<Option<Vec<String>>>()?;
        if segments.last().is_some_and(String::is_empty) {
            segments.pop();
        }
        let is_clear = |segment: &String| !["", ".", ".."].contains(&segment.as_str());
        segments.iter().all(is_clear).then_some(Self(segments))
    }
}

/// Which paths a rule is for: one, as `/notes`, or one and all below it, as `/notes/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    path: Path,
    below: bool,
}

impl Pattern {
    /// Read a pattern. It is spelt as a path in a request is; a star may only stand at its end.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, below) = match text.strip_suffix("/*") {
            Some("") => ("/", true),
            Some("/") => return None,
            Some(above) => (above, true),
            None => (text, false),
        };
        let clear = !path.contains('*') && (path == "/" || !path.ends_with('/'));
        Some(Self {
            text: text.to_owned(),
            path: Path::parse(path).filter(|_| clear)?,
            below,
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is for this path.
    pub fn matches(&self, path: &Path) -> bool {
        path.0.starts_with(&self.path.0) && (self.below || path.0.len() == self.path.0.len())
    }
}

/// A segment without its percent signs; `None` if it has what another reader would take for something else.
fn decoded(raw: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let is_plain = byte.is_ascii_graphic();
        let byte = match byte {
            b'%' => (hex(bytes.next()?)? << 4) | hex(bytes.next()?)?,
            byte if is_plain => byte,
            _ => return None,
        };
        // A slash, a backslash and what ends a path or a segment, and a percent sign, which somebody may decode again.
        if byte.is_ascii_control() || b"/\\;?#%".contains(&byte) {
            return None;
        }
        plain.push(byte);
    }
    String::from_utf8(plain).ok()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(raw: &str) -> Option<String> {
        Path::parse(raw).map(|path| path.0.join("|"))
    }

    #[test]
    fn a_path_is_its_decoded_segments_and_a_slash_at_its_end_says_nothing() {
        for (raw, expected) in [
            ("/", ""),
            ("/a", "a"),
            ("/a/", "a"),
            ("/a/b", "a|b"),
            ("/%61/%2a", "a|*"),
            ("/b%C3%BCcher/a%20b", "bücher|a b"),
            ("/a.b/.well-known/...", "a.b|.well-known|..."),
            ("/a:b@c,d=e+f!$&'()*~_-", "a:b@c,d=e+f!$&'()*~_-"),
            ("/[1]|{2}^\"<>`", "[1]|{2}^\"<>`"),
        ] {
            assert_eq!(segments(raw).as_deref(), Some(expected), "{raw}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_no_path() {
        for raw in [
            "",
            "a",
            "*",
            "http://a/b",
            "//",
            "//a",
            "/a//",
            "/a//b",
            "/.",
            "/..",
            "/a/./b",
            "/a/../b",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/%2e/a",
            "/a%2fb",
            "/a%2Fb",
            "/a\\b",
            "/a%5cb",
            "/a;b",
            "/a/..;/b",
            "/a%3bb",
            "/a%252e",
            "/a%25",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%+1",
            "/a?b",
            "/a%3fb",
            "/a#b",
            "/a%23b",
            "/a b",
            "/a\tb",
            "/a%00",
            "/a%0d%0ab",
            "/a%7f",
            "/é",
            "/a%ff",
            "/a%c0%af",
            "/a%c0%ae%c0%ae",
            "/a%e0%80%af",
            "/a%ed%a0%80",
        ] {
            assert_eq!(segments(raw), None, "{raw}");
        }
    }

    #[test]
    fn a_pattern_is_for_one_path_or_for_all_below_it_too() {
        let matches = |pattern: &str, path: &str| {
            let pattern = Pattern::parse(pattern).expect(pattern);
            pattern.matches(&Path::parse(path).expect(path))
        };
        for (pattern, path) in [
            ("/", "/"),
            ("/*", "/"),
            ("/*", "/a/b"),
            ("/a", "/a"),
            ("/a", "/a/"),
            ("/a/*", "/a"),
            ("/a/*", "/a/"),
            ("/a/*", "/%61/b/c"),
            ("/b%C3%BC", "/b%c3%bc"),
            ("/%2a", "/*"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/", "/a"),
            ("/a", "/"),
            ("/a", "/a/b"),
            ("/a", "/ab"),
            ("/a", "/A"),
            ("/a/*", "/ab"),
            ("/a/*", "/b/a"),
            ("/a/b/*", "/a"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_has_one_star_at_its_end_or_none() {
        for bad in [
            "", "*", "a/*", "/a*", "/*/a", "/a/**", "/a/*/*", "/a//*", "/a/", "//*", "/../*",
            "/a?b/*",
        ] {
            assert_eq!(Pattern::parse(bad), None, "{bad}");
        }
    }
}
