-- A personal access token that was rotated is spent: its successor stands under the same grant. It works until the end of
-- the overlap, which the first use of the successor brings nearer.
ALTER TABLE tokens ADD COLUMN predecessor_id BYTEA;
ALTER TABLE tokens ADD COLUMN overlap_until BIGINT;
ALTER TABLE tokens ADD COLUMN first_used_at BIGINT;
-- When it was last presented after that end.
ALTER TABLE tokens ADD COLUMN reused_at BIGINT;

UPDATE tokens SET first_used_at = (SELECT last_used_at FROM grants WHERE grants.id = tokens.grant_id) WHERE kind = 'pat';

-- One token of a family is the current one.
CREATE UNIQUE INDEX tokens_current ON tokens (grant_id) WHERE kind = 'pat' AND spent_at IS NULL;
CREATE INDEX tokens_overlap ON tokens (overlap_until) WHERE overlap_until IS NOT NULL;
