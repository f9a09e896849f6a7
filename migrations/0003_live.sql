-- Live entities as rows, and exports. Append-only file: never edit a landed migration.

-- The identifier of the live entity that a row was read from; NULL where it was read from a file. The row's file is then
-- the connection and the kind, and its line the place in the listing.
ALTER TABLE inventory_row ADD COLUMN live_id TEXT;

-- A run that only writes down what is live. While it goes on its state is `planning`.
CREATE TABLE export (
    run      INTEGER PRIMARY KEY REFERENCES run (id),
    path     TEXT NOT NULL,                 -- the file, absolute; empty for standard output, which is never gone on with
    query    TEXT NOT NULL,                 -- what is written in which format, as JSON: another one is another export
    cursor   TEXT,                          -- where the listing goes on, in the vendor's words; NULL at its beginning
    bytes    INTEGER NOT NULL DEFAULT 0,    -- how long the file was when the cursor was kept
    digest   TEXT NOT NULL DEFAULT '',      -- blake3 of those bytes: what somebody else has written is not gone on with
    entities INTEGER NOT NULL DEFAULT 0,    -- how many were in it
    hidden   INTEGER NOT NULL DEFAULT 0     -- how many were left out of it
) STRICT;
