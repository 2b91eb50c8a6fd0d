-- What can be allowed about named things, such as one repository: the types of authorization details (RFC 9396 §2). The
-- actions are a JSON object, of names and sentences; the schema is a JSON Schema of the further members.
CREATE TABLE authorization_details_types (
    name        TEXT   NOT NULL PRIMARY KEY,
    resource_id BYTEA  NOT NULL REFERENCES resources (id) ON DELETE CASCADE,
    description TEXT   NOT NULL,
    actions     TEXT   NOT NULL,
    schema      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TRIGGER authorization_details_types_changed
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON authorization_details_types
FOR EACH STATEMENT EXECUTE FUNCTION registry_changed();

-- What was allowed of them: a JSON array, as it was asked for.
ALTER TABLE grants ADD COLUMN authorization_details TEXT;
ALTER TABLE authorization_requests ADD COLUMN authorization_details TEXT;

-- The types that a client may ask for, with a space between them.
ALTER TABLE clients ADD COLUMN authorization_details_types TEXT NOT NULL DEFAULT '';
