-- The few tokens that end when they lie unused, to be looked for among all. A use writes nothing here.
CREATE INDEX grants_ending_unused ON grants (id) WHERE idle_life IS NOT NULL;
