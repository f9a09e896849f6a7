-- Deciding on entities that are missing or ambiguous. Append-only file: never edit a landed migration.

-- The live entities among which somebody has to choose for one of the class `ambiguous`.
CREATE TABLE candidate (
    run    INTEGER NOT NULL REFERENCES run (id),
    entity INTEGER NOT NULL,
    ids    TEXT NOT NULL,                   -- the first identifiers, 20 at most, as a JSON array
    PRIMARY KEY (run, entity)
) STRICT, WITHOUT ROWID;
