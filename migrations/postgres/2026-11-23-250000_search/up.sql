-- Everybody's personal access tokens, newest first and by their end. Only they have a name, so that no other grant and no
-- other token pays for it.
CREATE INDEX grants_personal ON grants (created_at, id) WHERE name IS NOT NULL;
-- Its last column answers by itself where a window ends.
CREATE INDEX tokens_personal_by_end ON tokens (coalesce(expires_at, 9223372036854775807), id, expires_at)
    WHERE kind = 'pat';

-- No token of this kind that was issued before that moment is good any more, whoever has it. What was reached is the
-- last grant in whose row this is written; until `finished_at` there are more.
CREATE TABLE cut_offs (
    id            BYTEA  NOT NULL PRIMARY KEY,
    kind          TEXT   NOT NULL,
    issued_before BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    TEXT   NOT NULL,
    reason        TEXT,
    reached_at    BIGINT,
    reached_id    BYTEA,
    finished_at   BIGINT
);

-- Nodes keep this in memory with the registry, by the same number. How far it is written changes nothing for them.
CREATE TRIGGER cut_offs_changed AFTER INSERT OR UPDATE OF kind, issued_before OR DELETE OR TRUNCATE ON cut_offs
FOR EACH STATEMENT EXECUTE FUNCTION registry_changed();
