//! `/api/secret-scanning/github`: what GitHub's secret scanning has found in public places, by the protocol of its partner
//! program.

use actix_web::web::Json;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::leaked_tokens::end;
use super::{Error, parse_secret};
use crate::domain::leak::{Leak, Whereabouts};
use crate::domain::secret::{Digest, Secret};
use crate::web::doors::Github;
use crate::web::openapi::Operation;

/// How much of a URL is kept, in characters.
const LONGEST: usize = 2000;

/// Something that looks like one of our secrets. GitHub may say more of it than this.
#[derive(Deserialize, JsonSchema)]
struct Finding {
    token: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

/// What GitHub is told of it, so that it can make its scanning better.
#[derive(Serialize, JsonSchema)]
pub struct Verdict {
    token_raw: String,
    token_type: String,
    #[schemars(extend("enum" = ["true_positive", "false_positive"]))]
    label: &'static str,
}

pub const GITHUB: Operation = Operation::new("reportGithubFindings", "End those of the tokens that GitHub's secret scanning has found that are real, and say which are")
    .takes::<Vec<Finding>>();
/// End those of the tokens that are real, and say which are.
pub async fn github(by: Github) -> Result<Json<Vec<Verdict>>, Error> {
    let findings: Vec<Finding> = parse_secret(&by.body)?;
    let secrets: Vec<Option<Secret>> = findings
        .iter()
        .map(|finding| by.app.policy().brands.read(&finding.token))
        .collect();
    let leaks = findings
        .iter()
        .zip(&secrets)
        .filter_map(|(finding, secret)| {
            let url = finding.url.as_deref().and_then(kept);
            let source = finding.source.as_deref().and_then(kept);
            let note = match source {
                Some(source) => format!("(found by GitHub: {source})"),
                None => "(found by GitHub)".to_owned(),
            };
            let whereabouts = Whereabouts::of(url.as_deref(), Some(&note));
            Some(Leak::of(secret.as_ref()?, &whereabouts))
        });
    let known = end(&by.app, by.caller, leaks.collect()).await?;
    let is_known = |secret: &Option<Secret>| {
        let digest = secret.as_ref().map(Secret::digest);
        digest.is_some_and(|digest: Digest| known.contains(&digest))
    };
    let verdicts = findings.into_iter().zip(&secrets);
    let verdicts: Vec<Verdict> = verdicts
        .map(|(finding, secret)| Verdict {
            token_raw: finding.token,
            token_type: finding.kind,
            label: match is_known(secret) {
                true => "true_positive",
                false => "false_positive",
            },
        })
        .collect();
    Ok(Json(verdicts))
}

/// The part of a text that may be kept, if there is any.
fn kept(text: &str) -> Option<String> {
    let plain = text.chars().filter(|c| !c.is_control());
    let kept: String = plain.take(LONGEST).collect();
    (!kept.is_empty()).then_some(kept)
}
