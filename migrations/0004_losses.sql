-- What tags lost because the job allows it. Append-only file: never edit a landed migration.
--
-- Rows and entities without a loss are in none of these tables.

-- Members are a JSON array of [class, what was done, message]; most rows that lose something lose the same.
CREATE TABLE loss_set (
    run     INTEGER NOT NULL REFERENCES run (id),
    id      INTEGER NOT NULL,
    members TEXT NOT NULL,
    PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;

-- What the tags of a row lost.
CREATE TABLE row_loss (
    run    INTEGER NOT NULL REFERENCES run (id),
    row    INTEGER NOT NULL,               -- inventory_row
    losses INTEGER NOT NULL,               -- loss_set
    PRIMARY KEY (run, row)
) STRICT, WITHOUT ROWID;

-- What was lost of an entity as a whole, for want of room or once the values of its rows were joined: a loss of each row.
CREATE TABLE entity_loss (
    run    INTEGER NOT NULL REFERENCES run (id),
    entity INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    PRIMARY KEY (run, entity)
) STRICT, WITHOUT ROWID;
