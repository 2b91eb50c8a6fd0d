//! The stable codes of refusals, in one table: with each, its status and what it means to who reads it.

use actix_web::http::StatusCode;

/// Make [`Code`] of lines of a variant, its status, its name on the wire, and its meaning.
macro_rules! codes {
    ($($code:ident $status:ident $name:literal $meaning:literal,)*) => {
        /// Why the API refuses. Scripts compare its name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $code,)*
        }

        impl Code {
            /// All that there are, in the order of the table.
            pub const ALL: &[Code] = &[$(Code::$code,)*];

            /// Its name on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$code => $name,)*
                }
            }

            /// The status of an answer with it.
            pub fn status(self) -> StatusCode {
                match self {
                    $(Code::$code => StatusCode::$status,)*
                }
            }

            /// What it means, for the API's document.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Code::$code => $meaning,)*
                }
            }
        }
    };
}

codes! {
    Malformed BAD_REQUEST "request.malformed" "The body or the query is not what this takes.",
    NameInvalid BAD_REQUEST "pat.name_invalid" "A name has 1 to 64 characters.",
    DescriptionInvalid BAD_REQUEST "pat.description_invalid" "The description is too long.",
    ReasonRequired BAD_REQUEST "pat.reason_required" "An administrator has to approve the token, so say what it is for.",
    WordsInvalid BAD_REQUEST "pat.words_invalid" "Words to the owner are one line of at most 255 characters, and a refusal needs some.",
    ScopeRequired BAD_REQUEST "pat.scope_required" "A token has at least one scope, or authorization details.",
    ScopeUnknown BAD_REQUEST "pat.scope_unknown" "No resource defines the scope.",
    AudienceRequired BAD_REQUEST "pat.audience_required" "A token is for at least one resource.",
    AudienceUnknown BAD_REQUEST "pat.audience_unknown" "There is no such resource.",
    ScopeOutsideAudience BAD_REQUEST "pat.scope_outside_audience" "None of the chosen resources defines the scope.",
    AudienceWithoutScope BAD_REQUEST "pat.audience_without_scope" "None of the chosen scopes is one of the resource's.",
    DetailsInvalid BAD_REQUEST "pat.authorization_details_invalid" "The authorization details do not conform to their types.",
    DetailsOutsideAudience BAD_REQUEST "pat.authorization_details_outside_audience" "None of the chosen resources has the type of the authorization details.",
    ExpiresInThePast BAD_REQUEST "pat.expires_in_the_past" "The end has passed.",
    NetworkInvalid BAD_REQUEST "pat.network_invalid" "That is no network in CIDR notation.",
    TooManyNetworks BAD_REQUEST "pat.too_many_networks" "A token is limited to at most 20 networks.",
    EndsBeforeItBegins BAD_REQUEST "pat.ends_before_it_begins" "The token would begin after its end.",
    IdleLifeInvalid BAD_REQUEST "pat.idle_life_invalid" "A token may lie unused for 1 to 3650 days.",
    AccountNameInvalid BAD_REQUEST "service_account.name_invalid" "That is no name of a service account.",
    AccountDescriptionInvalid BAD_REQUEST "service_account.description_invalid" "A description is one line of at most 255 characters.",
    PolicyNameInvalid BAD_REQUEST "policy.name_invalid" "That is no name of a policy.",
    PolicyAudienceUnknown BAD_REQUEST "policy.audience_unknown" "There is no such resource.",
    PolicyScopeUnknown BAD_REQUEST "policy.scope_unknown" "The policy's resource does not define the scope.",
    PolicyRuleInvalid BAD_REQUEST "policy.rule_invalid" "A rule can't be read, or there are too many.",
    PolicyOtherwiseInvalid BAD_REQUEST "policy.otherwise_invalid" "That is no answer to what no rule is about.",
    PolicyHeaderInvalid BAD_REQUEST "policy.header_invalid" "That is no header, or no fact to tell in one.",
    DetailsTypeNameInvalid BAD_REQUEST "details_type.name_invalid" "That is no name of a type.",
    DetailsTypeResourceUnknown BAD_REQUEST "details_type.resource_unknown" "There is no such resource.",
    DetailsTypeDescriptionInvalid BAD_REQUEST "details_type.description_invalid" "A type needs one line that says what it is for.",
    DetailsTypeActionInvalid BAD_REQUEST "details_type.action_invalid" "That is no name of an action, or it has no line that says what it allows.",
    DetailsTypeTooLong BAD_REQUEST "details_type.too_long" "The schema, the actions or the description are too long.",
    DetailsTypeSchemaInvalid BAD_REQUEST "details_type.schema_invalid" "The schema can't be used.",
    InvalidToken UNAUTHORIZED "auth.invalid_token" "The bearer token is not good here.",
    AuthRequired UNAUTHORIZED "auth.required" "Sign in, or send an access token.",
    InsufficientScope FORBIDDEN "auth.insufficient_scope" "The token lacks the scope.",
    NotAnAdministrator FORBIDDEN "auth.not_an_administrator" "This is for administrators.",
    Csrf FORBIDDEN "auth.csrf" "The X-CSRF-Token header is missing or not this session's.",
    StepUpRequired FORBIDDEN "auth.step_up_required" "Enter the password again at /step-up, then repeat this.",
    CannotManageTokens FORBIDDEN "pat.cannot_manage_tokens" "A token like this can't do that.",
    ScopeNotGrantable FORBIDDEN "pat.scope_not_grantable" "The scope can't be given to this token.",
    CreationNotAllowed FORBIDDEN "pat.creation_not_allowed" "This person may make no tokens.",
    UserDisabled FORBIDDEN "user.disabled" "The account is closed.",
    SignatureMissing FORBIDDEN "signature.missing" "This takes GitHub's signature, and the name of its key.",
    SignatureInvalid FORBIDDEN "signature.invalid" "The signature is not GitHub's over this body.",
    NotFound NOT_FOUND "entity.not_found" "There is no such thing, or not for whoever asks.",
    NoSuchUrl NOT_FOUND "not_found" "There is no such URL.",
    OtherMethod METHOD_NOT_ALLOWED "invalid_request" "The URL takes other methods.",
    NotPending CONFLICT "pat.not_pending" "The token does not wait for approval.",
    Pending CONFLICT "pat.pending" "The token waits for approval, and stays as it is until then.",
    NotLive CONFLICT "pat.not_live" "The token has ended.",
    AlreadyRotated CONFLICT "pat.already_rotated" "The successor is in use already. Rotate that one.",
    NotRotating CONFLICT "pat.not_rotating" "No earlier token works beside this one.",
    SuccessorUsed CONFLICT "pat.successor_used" "The new token has been used, so it stays.",
    CountDiffers CONFLICT "revocation.count_differs" "It is another number now. Nothing was revoked.",
    TooLarge PAYLOAD_TOO_LARGE "request.too_large" "The body is larger than this takes.",
    NameExists UNPROCESSABLE_ENTITY "user.personal_access_token_name_exists" "There is a live token of that name already.",
    LimitReached UNPROCESSABLE_ENTITY "pat.limit_reached" "The person has as many live tokens as one may have.",
    ExpiryBeyondPolicy UNPROCESSABLE_ENTITY "pat.expiry_beyond_policy" "Tokens may not live so long here.",
    ExpiryRequired UNPROCESSABLE_ENTITY "pat.expiry_required" "Tokens without an end are not allowed here.",
    NetworksRequired UNPROCESSABLE_ENTITY "pat.networks_required" "A token like this has to be limited to networks.",
    OverlapTooLong UNPROCESSABLE_ENTITY "pat.overlap_too_long" "An old token works at most 7 days beside its successor.",
    Widening UNPROCESSABLE_ENTITY "pat.widening" "A token can't be given more than it has.",
    Lengthening UNPROCESSABLE_ENTITY "pat.lengthening" "A token's life can be made shorter, not longer.",
    TooManyToSort UNPROCESSABLE_ENTITY "search.too_many_to_sort" "Too many tokens fit to sort them so.",
    AccountNameExists UNPROCESSABLE_ENTITY "service_account.name_exists" "There is a user or a service account of that name already.",
    KeeperRequired UNPROCESSABLE_ENTITY "service_account.keeper_required" "A service account needs a keeper.",
    KeeperUnknown UNPROCESSABLE_ENTITY "service_account.keeper_unknown" "There is no such person who could keep it.",
    PolicyInvalid UNPROCESSABLE_ENTITY "policy.invalid" "The rules can't be.",
    PolicyNameExists UNPROCESSABLE_ENTITY "policy.name_exists" "There is a policy of that name already.",
    TokenMalformed UNPROCESSABLE_ENTITY "token.malformed" "That is no token of this server.",
    LeakTokenCount UNPROCESSABLE_ENTITY "leak.token_count" "A report has 1 to 1000 tokens.",
    LeakUrlInvalid UNPROCESSABLE_ENTITY "leak.url_invalid" "That is no absolute URL, or too long.",
    LeakNoteInvalid UNPROCESSABLE_ENTITY "leak.note_invalid" "The note is too long.",
    TooMany TOO_MANY_REQUESTS "request.too_many" "This came too often from one network; Retry-After says when to try again.",
    NoKeys SERVICE_UNAVAILABLE "signature.no_keys" "The server has not got GitHub's keys yet; try again.",
    ServerError SERVICE_UNAVAILABLE "server_error" "The server can't answer now; try again. Where that would not help, its status is 500.",
}
