-- Undoing a run.
--
-- A set that the entities of an undoing run want is one of reversals: tag * 8 + was (1) + is left (2) + by key (4), where
-- `was` says whether the entity carried the tag before the run that is undone, `is left` whether it does after it, and
-- `by key` that all tags of the key must be as they were left.
ALTER TABLE run ADD COLUMN undo_of INTEGER; -- the run that this one takes back
