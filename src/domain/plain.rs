//! Text that somebody else chose, as it may be shown.

/// Text without the characters that turn, hide or break it on a page, in a mail or in the log.
pub fn plain(name: &str) -> String {
    let deceives = |c: &char| {
        matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{34f}' | '\u{180e}' | '\u{2028}' | '\u{2029}' | '\u{3164}' | '\u{e0000}'..='\u{e007f}')
            || c.is_control()
    };
    name.chars().filter(|c| !deceives(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_neither_turn_nor_hide_text() {
        assert_eq!(plain("Good\u{202e}dab\u{200b}\u{7}"), "Gooddab");
    }
}
