-- The changes of a customer become a chain: the customer has its newest, and each
-- has the one before it. They were found by an index, and to find its place in that
-- took a change as long as to write the customer. Nor does a change refer to its
-- customer by a key any more: both are written in one step.
ALTER TABLE customers ADD COLUMN last_change INTEGER NOT NULL DEFAULT 0;

CREATE TABLE chained (
	seq         INTEGER PRIMARY KEY, -- in the order of the commits; no row is ever deleted
	previous    INTEGER,             -- change of the customer; NULL for the birth
	tenant      TEXT    NOT NULL,
	customer_id TEXT    NOT NULL,
	version     INTEGER NOT NULL, -- that the change made
	event       TEXT    NOT NULL,
	actor       TEXT    NOT NULL,
	contract    TEXT,
	request_id  TEXT,
	at          INTEGER NOT NULL,
	fields      TEXT    NOT NULL -- JSON: {"email":[before,after],…}
) STRICT;

INSERT INTO chained (seq, previous, tenant, customer_id, version, event, actor, contract, request_id, at, fields)
SELECT seq, lag(seq) OVER (PARTITION BY tenant, customer_id ORDER BY version),
	tenant, customer_id, version, event, actor, contract, request_id, at, fields
FROM changes;

UPDATE customers
SET last_change = newest.seq
FROM (
	SELECT tenant, customer_id, max(seq) AS seq
	FROM changes
	GROUP BY tenant, customer_id
) AS newest
WHERE customers.tenant = newest.tenant AND customers.id = newest.customer_id;

DROP TABLE changes;
ALTER TABLE chained RENAME TO changes;
CREATE INDEX changes_feed ON changes (tenant, seq);

-- What searches read follows the changes, some of them at once. It has followed up
-- to this one.
ALTER TABLE search_state ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
UPDATE search_state
SET seq = (SELECT coalesce(max(seq), 0) FROM changes);
