-- What a proxy may let through to a service. A rule is a line: methods, a path, and the scopes it takes. Headers are words
-- with an equals sign in them: what is told, and by which header.
CREATE TABLE forward_auth_policies (
    name        TEXT  NOT NULL PRIMARY KEY,
    resource_id BYTEA NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    rules       TEXT  NOT NULL,
    otherwise   TEXT  NOT NULL,
    headers     TEXT  NOT NULL
);

CREATE TRIGGER forward_auth_policies_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON forward_auth_policies
FOR EACH STATEMENT EXECUTE FUNCTION registry_changed();
