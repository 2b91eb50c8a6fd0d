//! What a personal access token may be, and the sentences for what it may not.

use std::time::Duration;

use super::End;
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::authorization_details::{AuthorizationDetails, Invalid};
use crate::domain::limits::{Limits, Networks};
use crate::domain::policy::{Creators, PersonalTokenPolicy};
use crate::domain::resource::{Catalogue, Resource};
use crate::domain::tx::Actor;
use crate::domain::user::User;
use crate::domain::words::{Audience, Scope};

/// Scopes of our own API that no personal access token may hold: what a token can do must not outlive it, and the
/// right to ask about tokens belongs to services.
const NEVER: [&str; 3] = ["pats:write", "policies:write", "introspection"];

/// The end of the year 9999. Calendars and JSON numbers of clients give up soon after it.
pub(super) const LAST_MOMENT: Timestamp = Timestamp::from_millis(253_402_300_799_000);

const NAME_MAX: usize = 64;
const DESCRIPTION_MAX: usize = 255;
const NETWORKS_MAX: usize = 20;

/// Why a token can't be made or changed so.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("A token needs a name of 1 to {NAME_MAX} characters.")]
    Name,
    #[error("There is a live token of that name already.")]
    NameTaken,
    #[error("A description has at most {DESCRIPTION_MAX} characters.")]
    Description,
    #[error("Choose at least one permission.")]
    NoScope,
    #[error("There is no permission {0}.")]
    UnknownScope(String),
    #[error("The permission {0} can't be given to this token.")]
    ScopeNotGrantable(String),
    #[error("Choose at least one resource.")]
    NoAudience,
    #[error("There is no resource {0}.")]
    UnknownResource(String),
    #[error("None of the chosen resources knows the permission {0}.")]
    ScopeOutsideAudience(String),
    #[error("None of the chosen permissions is one of {0}.")]
    ResourceWithoutScope(String),
    #[error("{0}")]
    Details(#[from] Invalid),
    #[error("None of the chosen resources knows the authorization details {0}.")]
    DetailsOutsideAudience(String),
    #[error("That moment has passed.")]
    EndPassed,
    #[error("Tokens live at most until {} here.", .0.to_rfc3339())]
    EndBeyondPolicy(Timestamp),
    #[error("Tokens without an end are not allowed here.")]
    NeverNotAllowed,
    #[error("The most live tokens one account may have here is {0}. Revoke one first.")]
    LimitReached(usize),
    #[error("Only administrators may make tokens here.")]
    CreatorNotAllowed,
    #[error("Only people whom an administrator has named may make tokens here.")]
    CreatorNotNamed,
    #[error("Personal access tokens are switched off here.")]
    SwitchedOff,
    #[error("This account is disabled.")]
    OwnerDisabled,
    #[error("{0} is not a network, such as 192.0.2.0/24 or 2001:db8::/32.")]
    Network(String),
    #[error("A token is limited to at most {NETWORKS_MAX} networks.")]
    TooManyNetworks,
    #[error("A token like this has to be limited to networks here.")]
    NetworksRequired,
    #[error(
        "Say what the token is for, in 1 to {DESCRIPTION_MAX} characters: an administrator has to approve it."
    )]
    ReasonRequired,
    #[error(
        "Words to the owner are one line of at most {DESCRIPTION_MAX} characters, and a refusal needs some."
    )]
    Words,
    #[error("This token does not wait for approval.")]
    NotPending,
    #[error(
        "This token waits for approval as it is. Change or rotate it then, or revoke it and make another."
    )]
    Pending,
    #[error("A token can't begin after its end.")]
    EndsBeforeItBegins,
    #[error("The time a token may lie unused is from 1 to 3650 days.")]
    IdleLife,
    #[error("This token has ended.")]
    NotLive,
    #[error("The successor of this token is in use already. Rotate that one.")]
    AlreadyRotated,
    #[error("No earlier token works beside this one.")]
    NotRotating,
    #[error("The new token has been used, so it stays.")]
    SuccessorUsed,
    #[error("An old token works at most 7 days beside its successor.")]
    OverlapTooLong,
    #[error("A token can't be given more than it has: {0}. Make a new one.")]
    Widening(String),
    #[error(
        "A token can't be given authorization details that it does not have: {0}. Make a new one."
    )]
    WideningDetails(String),
    #[error("A token's life can be made shorter, not longer. Make a new one.")]
    Lengthening,
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Problem);

impl PersonalTokenPolicy {
    /// The life that is offered first, and given where none is named: the default, unless that is too long here.
    pub fn offered_life(&self) -> Duration {
        self.max_life
            .map_or(self.default_life, |max| max.min(self.default_life))
    }

    /// Where a token ends that is made at `now` without saying when.
    pub fn default_end(&self, now: Timestamp) -> Timestamp {
        now.whole_second() + self.offered_life()
    }

    /// The latest end a token made at `now` may have; `None` for no limit.
    pub fn latest_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.max_life.map(|life| now + life)
    }

    /// Whether a token may have no end at all.
    pub fn allows_no_end(&self) -> bool {
        self.may_never_expire && self.max_life.is_none()
    }

    /// Whether a token with this scope may be limited so.
    pub(super) fn check_networks(&self, limits: &Limits, scope: &Scope) -> Result<(), Problem> {
        if limits.networks.is_none() && self.needs_networks(scope) {
            return Err(Problem::NetworksRequired);
        }
        Ok(())
    }

    /// Whether a token waits for an administrator's approval: one that `maker`, whose role decides that, makes themself.
    pub fn holds_back(&self, maker: Option<&User>, actor: &Actor) -> bool {
        let waits = |maker: &User| !maker.is_admin && *actor == Actor::User(maker.id);
        self.approval_required && maker.is_some_and(waits)
    }

    pub(super) fn check_creator(&self, user: &User) -> Result<(), Problem> {
        match &self.creators {
            Creators::Administrators if !user.is_admin => Err(Problem::CreatorNotAllowed),
            Creators::Users(ids) if !ids.contains(&user.id.to_string()) => {
                Err(Problem::CreatorNotNamed)
            }
            _ => Ok(()),
        }
    }

    /// Whether a token with this scope, made at `now`, may end so.
    pub(super) fn check_end(&self, end: End, scope: &Scope, now: Timestamp) -> Result<(), Problem> {
        match (end, self.longest_life(scope).map(|life| now + life)) {
            (End::Never, _) if !self.may_never_expire => Err(Problem::NeverNotAllowed),
            (End::Never, Some(latest)) => Err(Problem::EndBeyondPolicy(latest)),
            // By whole seconds, as a token expires: it must not be made expired.
            (End::At(end), _) if end.seconds() <= now.seconds() => Err(Problem::EndPassed),
            (End::At(end), Some(latest)) if end > latest => Err(Problem::EndBeyondPolicy(latest)),
            (End::At(end), None) if end > LAST_MOMENT => Err(Problem::EndBeyondPolicy(LAST_MOMENT)),
            _ => Ok(()),
        }
    }
}

/// Whether a personal access token of `owner` may hold `scope` of `resource`: why not, if not.
pub fn grantable(
    owner_is_admin: bool,
    resource: &Resource,
    scope: &str,
    reserved: bool,
) -> Result<(), &'static str> {
    if resource.is_ours() && NEVER.contains(&scope) {
        Err("No personal access token may hold this.")
    } else if reserved && !owner_is_admin {
        Err("Only administrators may hold this.")
    } else {
        Ok(())
    }
}

/// A name as it is kept: of tokens, and of decoys too.
pub(in crate::domain) fn checked_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let length = name.chars().count();
    let fits = (1..=NAME_MAX).contains(&length) && !name.contains(char::is_control);
    fits.then(|| name.to_owned()).ok_or(Problem::Name)
}

pub(super) fn checked_description(description: &str) -> Result<String, Problem> {
    let description = description.trim();
    let fits = description.chars().count() <= DESCRIPTION_MAX && !description.contains('\0');
    fits.then(|| description.to_owned())
        .ok_or(Problem::Description)
}

/// What a token is to be allowed, and where.
#[derive(Clone, Copy)]
pub(super) struct Rights<'a> {
    pub scope: &'a Scope,
    pub audience: &'a Audience,
    pub details: Option<&'a AuthorizationDetails>,
}

impl Rights<'_> {
    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.scope.is_empty() && self.details.is_none()
    }

    /// Only what the owner may grant now, of the resources the token is for.
    pub fn check(&self, catalogue: &Catalogue, owner: &User) -> Result<(), Problem> {
        if self.is_empty() {
            return Err(Problem::NoScope);
        }
        if self.audience.is_empty() {
            return Err(Problem::NoAudience);
        }
        let known = catalogue.audience();
        if let Some(unknown) = self.audience.iter().find(|uri| !known.contains(uri)) {
            return Err(Problem::UnknownResource(unknown.to_owned()));
        }
        let meant = catalogue.within(self.audience);
        for word in self.scope.iter() {
            if !catalogue.defines(word) {
                return Err(Problem::UnknownScope(word.to_owned()));
            }
            if !meant.defines(word) {
                return Err(Problem::ScopeOutsideAudience(word.to_owned()));
            }
            for (resource, definitions) in meant.iter() {
                for definition in definitions
                    .iter()
                    .filter(|definition| definition.name == word)
                {
                    grantable(owner.is_admin, resource, word, definition.reserved)
                        .map_err(|_| Problem::ScopeNotGrantable(word.to_owned()))?;
                }
            }
        }
        if let Some(details) = self.details {
            AuthorizationDetails::check(&details.objects(), catalogue)?;
            let outside = |name: &&str| meant.details_type(name).is_none();
            if let Some(name) = details.types().iter().find(outside) {
                return Err(Problem::DetailsOutsideAudience(name.to_owned()));
            }
        }
        let needed = catalogue.audience_of_all(self.scope, self.details);
        match self.audience.iter().find(|uri| !needed.contains(uri)) {
            Some(idle) => Err(Problem::ResourceWithoutScope(idle.to_owned())),
            None => Ok(()),
        }
    }
}

pub(super) fn check_limits(limits: &Limits, end: End) -> Result<(), Problem> {
    let networks = limits.networks.iter().flat_map(Networks::iter).count();
    if networks > NETWORKS_MAX {
        return Err(Problem::TooManyNetworks);
    }
    let idle = limits.idle_life();
    if idle.is_some_and(|life| !(days(1)..=days(3650)).contains(&life)) {
        return Err(Problem::IdleLife);
    }
    match (limits.not_before, end) {
        (Some(begin), End::At(end)) if begin >= end => Err(Problem::EndsBeforeItBegins),
        (Some(begin), End::Never) if begin > LAST_MOMENT => Err(Problem::EndsBeforeItBegins),
        _ => Ok(()),
    }
}

/// What a request for approval has to say.
pub(super) fn checked_reason(reason: &str) -> Result<String, Problem> {
    let reason = checked_description(reason).map_err(|_| Problem::ReasonRequired)?;
    match reason.is_empty() {
        true => Err(Problem::ReasonRequired),
        false => Ok(reason),
    }
}

/// What an administrator says to the owner, if anything.
pub(super) fn checked_words(words: &str) -> Result<Option<String>, Problem> {
    let words = words.trim();
    let fits = words.chars().count() <= DESCRIPTION_MAX && !words.contains(char::is_control);
    match fits {
        true => Ok(Some(words.to_owned()).filter(|words| !words.is_empty())),
        false => Err(Problem::Words),
    }
}

/// The lives that are offered, in days.
pub const PRESETS: [u64; 6] = [7, 30, 60, 90, 180, 365];

/// So many days.
pub const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn a_policy_with_a_longest_life_has_no_room_for_none() {
        let policy = PersonalTokenPolicy {
            max_life: Some(days(30)),
            default_life: days(90),
            may_never_expire: true,
            ..PersonalTokenPolicy::default()
        };
        let end = |life| policy.check_end(End::At(NOW + life), &Scope::default(), NOW);
        assert!(end(days(30)).is_ok());
        let too_long = end(days(30) + Duration::from_millis(1));
        assert!(matches!(too_long, Err(Problem::EndBeyondPolicy(_))));
        let never = policy.check_end(End::Never, &Scope::default(), NOW);
        assert!(matches!(never, Err(Problem::EndBeyondPolicy(_))));
        assert!(matches!(end(Duration::ZERO), Err(Problem::EndPassed)));
        assert_eq!(policy.offered_life(), days(30));
    }

    #[test]
    fn a_name_is_trimmed_counted_in_characters_and_has_no_controls() {
        assert_eq!(checked_name("  ci  ").unwrap(), "ci");
        assert!(checked_name(&"é".repeat(64)).is_ok());
        for bad in ["", "   ", "a\nb", &"é".repeat(65)] {
            assert!(matches!(checked_name(bad), Err(Problem::Name)), "{bad:?}");
        }
    }
}
