-- Keys whose place another has taken, while they wait to go. Append-only file: never edit a landed migration.
--
-- Rows outlive runs, since a scheduled job waits across many of them.
CREATE TABLE dwell (
    job      TEXT NOT NULL,                 -- the job's name: each has rests of its own
    url      TEXT NOT NULL,                 -- the account and the kind, as in `run`
    tenant   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    entity   TEXT NOT NULL,                 -- the vendor's identifier
    key      TEXT NOT NULL,                 -- the key that is to go
    run      INTEGER,                       -- the run that was to bring what takes its place; NULL where that was there
    since_ms INTEGER NOT NULL,              -- when that was seen there, or was to be brought
    PRIMARY KEY (job, url, tenant, kind, entity, key)
) STRICT, WITHOUT ROWID;
