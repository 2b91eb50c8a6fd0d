-- Times are milliseconds since 1970 in UTC. Ids are the 16 bytes of a UUIDv7.
-- Lists (scopes, audiences, grant types) are words with one space between them.

CREATE TABLE users (
    id                  BYTEA    NOT NULL PRIMARY KEY,
    username            TEXT    NOT NULL UNIQUE,
    email               TEXT,
    password_hash       TEXT,
    is_admin            BOOLEAN NOT NULL,
    created_at          BIGINT  NOT NULL,
    disabled_at         BIGINT
);

CREATE TABLE sessions (
    hash             BYTEA  NOT NULL PRIMARY KEY,
    user_id          BYTEA  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    authenticated_at BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id);

-- One row an account and one an address that has failed to sign in lately.
CREATE TABLE sign_in_failures (
    subject  TEXT    NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at  BIGINT  NOT NULL
);

-- Apps, services, and resource servers when they ask about tokens. Public ones have no secret.
CREATE TABLE clients (
    id               TEXT    NOT NULL PRIMARY KEY,
    name             TEXT    NOT NULL,
    auth_method      TEXT    NOT NULL,
    grant_types      TEXT    NOT NULL,
    scope            TEXT    NOT NULL,
    redirect_uris    TEXT    NOT NULL,
    access_token_ttl BIGINT,
    introspect_any   BOOLEAN NOT NULL,
    created_at       BIGINT  NOT NULL,
    disabled_at      BIGINT
);

-- Two may be live at a time, so that one can be rotated.
CREATE TABLE client_secrets (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    client_id  TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX client_secrets_of_client ON client_secrets (client_id);

-- A resource server: its URI is the audience, its client is how it introspects.
CREATE TABLE resources (
    id         BYTEA  NOT NULL PRIMARY KEY,
    uri        TEXT   NOT NULL UNIQUE,
    name       TEXT   NOT NULL,
    client_id  TEXT   REFERENCES clients (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX resources_of_client ON resources (client_id);

CREATE TABLE scopes (
    resource_id BYTEA    NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    reserved    BOOLEAN NOT NULL,
    PRIMARY KEY (resource_id, name)
);

-- What one person lets one client do: an allowed app, a service's own access, a personal access token.
CREATE TABLE grants (
    id             BYTEA  NOT NULL PRIMARY KEY,
    user_id        BYTEA  REFERENCES users (id),
    client_id      TEXT   NOT NULL REFERENCES clients (id),
    origin         TEXT   NOT NULL,
    scope          TEXT   NOT NULL,
    audience       TEXT   NOT NULL,
    name           TEXT,
    description    TEXT,
    created_at     BIGINT NOT NULL,
    created_by     TEXT   NOT NULL,
    created_via    TEXT   NOT NULL,
    created_from   TEXT,
    auth_time      BIGINT,
    last_used_at   BIGINT,
    last_used_from TEXT,
    revoked_at     BIGINT,
    revoked_by     TEXT,
    revoke_reason  TEXT
);
CREATE INDEX grants_of_user ON grants (user_id, client_id);
CREATE INDEX grants_revoked ON grants (revoked_at) WHERE revoked_at IS NOT NULL;

-- Every secret that opens something, by its SHA-256. scope and audience are there when narrower than the grant's.
CREATE TABLE tokens (
    hash          BYTEA  NOT NULL PRIMARY KEY,
    id            BYTEA  NOT NULL UNIQUE,
    grant_id      BYTEA  NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    kind          TEXT   NOT NULL,
    hint          TEXT   NOT NULL,
    scope         TEXT,
    audience      TEXT,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    spent_at      BIGINT,
    nonce         BYTEA,
    revoked_at    BIGINT,
    revoked_by    TEXT,
    revoke_reason TEXT
);
CREATE INDEX tokens_of_grant ON tokens (grant_id);
CREATE INDEX tokens_by_end ON tokens (expires_at);

-- From the consent page to the redeemed code (RFC 6749 §4.1).
CREATE TABLE authorization_requests (
    id                BYTEA    NOT NULL PRIMARY KEY,
    client_id         TEXT    NOT NULL REFERENCES clients (id),
    user_id           BYTEA    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    redirect_uri      TEXT    NOT NULL,
    redirect_uri_sent BOOLEAN NOT NULL,
    scope             TEXT    NOT NULL,
    audience          TEXT    NOT NULL,
    state             TEXT,
    code_challenge    TEXT    NOT NULL,
    auth_time         BIGINT  NOT NULL,
    created_at        BIGINT  NOT NULL,
    decided_at        BIGINT,
    code_hash         BYTEA    UNIQUE,
    code_expires_at   BIGINT,
    redeemed_at       BIGINT,
    grant_id          BYTEA
);

-- What a person has allowed an app at one resource, so that they need not be asked again. The resource is empty where
-- an app asked for none.
CREATE TABLE consents (
    user_id    BYTEA  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT   NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    resource   TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id, resource)
);

-- Who did what to which token, when and from where. Never a secret.
CREATE TABLE audit_events (
    id         BYTEA  NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL,
    event      TEXT   NOT NULL,
    actor      TEXT   NOT NULL,
    user_id    BYTEA,
    client_id  TEXT,
    grant_id   BYTEA,
    detail     TEXT,
    address    TEXT,
    request_id TEXT
);
CREATE INDEX audit_events_of_grant ON audit_events (grant_id);

-- The client that every personal access token belongs to: disabling it switches them all off.
INSERT INTO clients (id, name, auth_method, grant_types, scope, redirect_uris, introspect_any, created_at)
VALUES ('personal-access-token', 'Personal access tokens', 'none', '', '', '', FALSE, 0);
