-- The few tokens that end when they lie unused, to be looked for among all. A use writes nothing here.
CREATE INDEX grants_ending_unused ON grants (idle_life) WHERE idle_life IS NOT NULL;

-- Before it was approved nobody could use a token: how long it has lain unused counts from then.
ALTER TABLE grants ADD COLUMN approved_at BIGINT;
