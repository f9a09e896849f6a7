-- The ledger: plans, what became of them, and every attempt. Append-only file: never edit a landed migration.
--
-- Shaped for ten million rows: text is interned to integers that count from 1 within a run, a line holds all the
-- operations of one entity as bits, and every key grows in the order of insertion, so that no index is written at
-- random places.

CREATE TABLE run (
    id               INTEGER PRIMARY KEY,   -- what users type
    job              TEXT NOT NULL,         -- the job's name
    job_path         TEXT NOT NULL,
    job_digest       TEXT NOT NULL,         -- blake3 of the job file
    inventory_digest TEXT,                  -- blake3 of what was read
    retry_of         INTEGER,               -- the run whose failures this one tries again
    connection       TEXT NOT NULL,         -- the target: its name in the job, and what it was at the plan
    vendor           TEXT NOT NULL,
    url              TEXT NOT NULL,
    tenant           TEXT NOT NULL,
    kind             TEXT NOT NULL,         -- the kind of all its entities
    state            TEXT NOT NULL CHECK (state IN ('planning', 'planned', 'refused', 'applying', 'finished', 'abandoned')),
    reason           TEXT,                  -- why it was refused, or why it halted last
    summary          TEXT,                  -- what the plan counted, as JSON
    created_ms       INTEGER NOT NULL,
    began_ms         INTEGER,               -- when its apply began first
    ended_ms         INTEGER
) STRICT;

CREATE TABLE inventory_file (
    run   INTEGER NOT NULL REFERENCES run (id),
    id    INTEGER NOT NULL,
    path  TEXT NOT NULL,
    PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag (
    run   INTEGER NOT NULL REFERENCES run (id),
    id    INTEGER NOT NULL,
    key   TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;

-- Members are JSON arrays of integers: a wish is tag * 8 + rule, a live tag is tag * 2 + automatic,
-- an action is (tag * 2 + remove) * 8 + rule. An action's place in its array is its bit in a line.
CREATE TABLE tag_set (
    run     INTEGER NOT NULL REFERENCES run (id),
    role    TEXT NOT NULL CHECK (role IN ('want', 'before', 'change')),
    id      INTEGER NOT NULL,
    members TEXT NOT NULL,
    PRIMARY KEY (run, role, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE inventory_row (
    run     INTEGER NOT NULL REFERENCES run (id),
    id      INTEGER NOT NULL,               -- counts the rows in the order in which they were read
    file    INTEGER NOT NULL,
    line    INTEGER NOT NULL,
    entity  INTEGER,
    want    INTEGER,
    class   TEXT,                           -- set when the row is rejected
    message TEXT,
    PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE entity (
    run     INTEGER NOT NULL REFERENCES run (id),
    id      INTEGER NOT NULL,
    key     TEXT NOT NULL,                  -- the vendor's identifier, or the name while it is not resolved
    name    TEXT,                           -- the name by which the inventory knows it, when it does
    class   TEXT,                           -- set when nothing can be done to it: missing, ambiguous, full
    message TEXT,
    PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;

-- One entity of the plan; one with more than 62 operations takes several lines.
-- A bit that is in none of open, done and unchanged has a verdict.
CREATE TABLE line (
    run       INTEGER NOT NULL REFERENCES run (id),
    entity    INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    want      INTEGER NOT NULL,
    before    INTEGER NOT NULL,             -- what the entity carried of the keys that are wanted, when it was planned
    change    INTEGER NOT NULL,             -- 0 when nothing is to be done
    open      INTEGER NOT NULL,             -- not settled
    attempted INTEGER NOT NULL DEFAULT 0,   -- this run sent it, or was about to
    done      INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,   -- found as wanted, without an attempt of this run
    PRIMARY KEY (run, entity, part)
) STRICT, WITHOUT ROWID;

CREATE INDEX line_open ON line (run, entity, part) WHERE open <> 0;

CREATE TABLE verdict (
    run     INTEGER NOT NULL REFERENCES run (id),
    entity  INTEGER NOT NULL,
    part    INTEGER NOT NULL,
    bits    INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('unknown', 'failed', 'conflict')),
    class   TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;

CREATE INDEX verdict_of_line ON verdict (run, entity, part);

-- Every request, written before it leaves.
CREATE TABLE attempt (
    run         INTEGER NOT NULL REFERENCES run (id),
    id          INTEGER NOT NULL,
    number      INTEGER NOT NULL,           -- counts the attempts of one call
    purpose     TEXT NOT NULL,
    method      TEXT NOT NULL,
    target      TEXT NOT NULL,              -- path and query
    entities    INTEGER NOT NULL,           -- how many entities it concerns
    sent_ms     INTEGER NOT NULL,
    ended_ms    INTEGER,
    class       TEXT,
    status      INTEGER,
    correlation TEXT,
    PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;

-- What a connection taught, for the next run.
CREATE TABLE learned (
    url    TEXT NOT NULL,
    tenant TEXT NOT NULL,
    topic  TEXT NOT NULL,                   -- `gate`, or `entities:KIND`
    value  TEXT NOT NULL,                   -- JSON
    PRIMARY KEY (url, tenant, topic)
) STRICT;
