//! `jeton openapi`: the API's document, for who has no server at hand.

use super::Answer;
use crate::web::openapi::document;

/// Print the document. It is the same with and without `--json`, but for its lines.
pub fn run() -> Answer {
    let text = serde_json::to_string_pretty(document()).expect("JSON can be written");
    Answer::new(document(), text)
}
