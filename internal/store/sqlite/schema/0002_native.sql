-- Answers that are kept for requests that may be sent again.
CREATE TABLE receipts (
	tenant  TEXT    NOT NULL,
	key     TEXT    NOT NULL, -- the sender's name for the request
	request TEXT    NOT NULL, -- a digest of what it asked for
	answer  BLOB    NOT NULL,
	at      INTEGER NOT NULL,

	PRIMARY KEY (tenant, key)
) STRICT;
CREATE INDEX receipts_oldest ON receipts (at);

-- How a key's changes are taken.
ALTER TABLE keys ADD COLUMN demand_if_match INTEGER NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN overwrite_stale INTEGER NOT NULL DEFAULT 0;

-- What the servers on this store share, and nobody else knows.
CREATE TABLE secrets (
	name   TEXT NOT NULL PRIMARY KEY,
	secret BLOB NOT NULL
) STRICT;
INSERT INTO secrets (name, secret) VALUES ('cursor', randomblob(32));
