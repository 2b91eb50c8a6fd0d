//! The names of all that is recorded, in one table.

/// Make [`What`] of lines of a variant, its name in the trail, and what it means to who reads it.
macro_rules! events {
    ($($what:ident $name:literal $meaning:literal,)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum What {
            $(#[doc = $meaning] $what,)*
        }

        impl What {
            /// All that is recorded, in the order of the table.
            pub const ALL: &[What] = &[$(What::$what,)*];

            /// Its name in the trail.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(What::$what => $name,)*
                }
            }

            /// What it means, for the table in docs/audit.md.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(What::$what => $meaning,)*
                }
            }
        }
    };
}

events! {
    UserCreated "user.created" "An account was made. The detail is its name.",
    UserDisabled "user.disabled" "An account was closed.",
    UserEnabled "user.enabled" "A closed account was opened again.",
    ServiceAccountCreated "service_account.created" "A service account was made. The detail is its name.",
    ServiceAccountChanged "service_account.changed" "It was described anew. The detail is the description.",
    KeeperAdded "service_account.keeper_added" "Somebody became a keeper of a service account. The detail is their name.",
    KeeperRemoved "service_account.keeper_removed" "Somebody is a keeper of it no longer. The detail is their name.",
    PasswordChanged "user.password_changed" "Somebody got a new password, and their sessions and apps ended.",
    EmailChanged "user.email_changed" "Somebody got another e-mail address, or none. The detail says which of the two.",
    SignedIn "user.signed_in" "Somebody signed in.",
    SignInFailed "user.sign_in_failed" "A sign-in was refused.",
    ClientCreated "client.created" "A client was registered. The detail is its name.",
    ClientDisabled "client.disabled" "A client was switched off.",
    ClientEnabled "client.enabled" "A client was switched on again.",
    ClientSecretRotated "client.secret_rotated" "A client got a new secret.",
    ResourceCreated "resource.created" "An API was registered. The detail is its URI.",
    AppAllowed "app.allowed" "A person allowed an app. The detail is the scope, where it holds, and the types of the authorization details if there are any.",
    GrantCreated "grant.created" "An app or a service was let in: its tokens are under this grant. The detail is the types of its authorization details, if it has any.",
    GrantRevoked "grant.revoked" "Such a grant ended, and all its tokens with it. The detail says why.",
    AccessTokenRevoked "access_token.revoked" "An app gave back one access token.",
    CodeReplayed "code.replayed" "An authorization code came a second time, and its grant ended.",
    RefreshTokenReplayed "refresh_token.replayed" "A spent refresh token came back, and its grant ended.",
    TokenCreated "token.created" "A personal access token was made. The detail is its name, and the types of its authorization details if it has any.",
    TokenFirstUsed "token.first_used" "It was used for the first time.",
    TokenNewNetwork "token.new_network" "It was used from a network it had not been used from before.",
    TokenChanged "token.changed" "It was renamed, described, narrowed or shortened. The detail is its name now.",
    TokenRotated "token.rotated" "It got a successor with a new secret.",
    TokenRotationCancelled "token.rotation_cancelled" "Its successor, which nobody had used, was dropped. The detail is that one's id.",
    TokenOverlapEnded "token.overlap_ended" "It was replaced by its successor, and works no longer.",
    TokenReuseDetected "token.reuse_detected" "It came back after its successor had replaced it.",
    TokenDenied "token.denied" "A resource server that asked about it was told no, or of less than it wanted. The detail says why and how often.",
    TokenReminded "token.reminded" "Its owner was told that it ends soon, or has ended; of a service account's, a keeper was, each in an event of its own. The detail says when, or that it ends if it stays unused.",
    TokenExpired "token.expired" "It came to its end. The detail is its name, and for how long it was not used if that is why.",
    TokenRevoked "token.revoked" "It was ended, at once and for ever. The detail says why, if anybody said so.",
    TokenLeaked "token.leaked" "Somebody who found it reported it as leaked. The detail says where.",
    ClientSecretLeaked "client.secret_leaked" "Somebody who found a client's secret reported it as leaked. It works on.",
    TokenIdentified "token.identified" "A manager asked what a token is that was found somewhere.",
    DecoyRemoved "decoy.removed" "A decoy was taken up again.",
    DecoyUsed "decoy.used" "Somebody used a decoy. The detail says where.",
    TokenApproved "token.approved" "An administrator approved it. The detail is its name, and what its owner was told.",
    TokenPolicyChanged "token_policy.changed" "The rules for personal access tokens were decided anew. The detail is all of them.",
    ForwardPolicyCreated "forward_auth_policy.created" "A forward-auth policy was made. The detail is its name.",
    ForwardPolicyChanged "forward_auth_policy.changed" "A forward-auth policy was changed. The detail is its name.",
    ForwardPolicyRemoved "forward_auth_policy.removed" "A forward-auth policy was removed. The detail is its name.",
    DetailsTypeCreated "authorization_details_type.created" "A type of authorization details was registered. The detail is its name.",
    DetailsTypeChanged "authorization_details_type.changed" "A type of authorization details was changed. The detail is its name.",
    DetailsTypeRemoved "authorization_details_type.removed" "A type of authorization details was removed. The detail is its name.",
    TokenPurged "token.purged" "It had ended long ago, and is no longer kept. The detail is its name.",
    MailQueued "mail.queued" "A mail to somebody is to be sent. The detail says what it tells.",
    MailGivenUp "mail.given_up" "A mail could not be handed over, and no more is tried. The detail says why.",
    RefreshTokenRevoked "refresh_token.revoked" "One refresh token was ended with others of its person.",
    TokensRevokedInBulk "tokens.revoked_in_bulk" "Personal access tokens that a filter found were ended. The detail has the filter and the number.",
    TokensOfUserRevoked "tokens.of_user_revoked" "Tokens of one person were ended. The detail says which and how many.",
    TokensCutOff "tokens.cut_off" "Nothing of a kind that was issued before a moment counts any more. The detail says what and when.",
    AuditPurged "audit.purged" "Old events were removed from this trail. The detail is the last of them: its number and its digest.",
}

impl What {
    /// The names of all, in the order of the table.
    pub fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|what| what.as_str()).collect()
    }

    /// What has this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|what| what.as_str() == name)
    }
}
