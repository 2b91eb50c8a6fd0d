-- What a personal access token is limited to besides its rights: networks (words with a space between them), a beginning,
-- and how long it may lie unused, in seconds.
ALTER TABLE grants ADD COLUMN allowed_networks TEXT;
ALTER TABLE grants ADD COLUMN not_before BIGINT;
ALTER TABLE grants ADD COLUMN idle_life BIGINT;

-- From where a personal access token was used, by networks.
CREATE TABLE grant_networks (
    grant_id      BYTEA   NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    network       TEXT   NOT NULL,
    address       TEXT   NOT NULL,
    first_used_at BIGINT NOT NULL,
    last_used_at  BIGINT NOT NULL,
    PRIMARY KEY (grant_id, network)
);
