-- Keys begin with the tenant. Times are microseconds since 1970, UTC. NULL is a value that the
-- customer does not have.

-- A rowid table, because its rows are wide: the keys are in narrow indexes that an update does not
-- touch.
CREATE TABLE customers (
	tenant TEXT    NOT NULL,
	id     TEXT    NOT NULL,
	number INTEGER NOT NULL CHECK (number >= 1), -- never changes

	version    INTEGER NOT NULL CHECK (version >= 1),
	kind       TEXT    NOT NULL,
	first_name TEXT,
	last_name  TEXT,
	birth_date TEXT, -- YYYY-MM-DD
	gender     TEXT,
	locale     TEXT,

	national_id         TEXT,
	organisation_number TEXT,

	email  TEXT,
	phone  TEXT,
	mobile TEXT,

	address_line         TEXT,
	address_care_of      TEXT,
	address_house_number TEXT,
	address_house_letter TEXT,
	address_entrance     TEXT,
	address_floor        TEXT,
	address_po_box       INTEGER,
	address_postal_code  TEXT,
	address_city         TEXT,
	address_region       TEXT,
	address_country      TEXT,
	address_editable     INTEGER NOT NULL,

	broadband        INTEGER NOT NULL,
	district_heating INTEGER NOT NULL,
	grid             INTEGER NOT NULL,
	power            INTEGER NOT NULL,

	confirmed_at INTEGER,
	created_at   INTEGER NOT NULL,
	updated_at   INTEGER NOT NULL,

	last_change INTEGER NOT NULL, -- seq of the newest change

	PRIMARY KEY (tenant, id),
	UNIQUE (tenant, number)
) STRICT;
CREATE INDEX customers_confirmed ON customers (tenant, confirmed_at, number);

-- The search index: the terms of each customer, as package terms defines them.
CREATE TABLE terms (
	tenant TEXT    NOT NULL,
	term   TEXT    NOT NULL,
	number INTEGER NOT NULL, -- of the customer

	PRIMARY KEY (tenant, term, number)
) STRICT, WITHOUT ROWID;

-- All changes: the history of each customer, and the feed of a tenant. A change links to the one
-- before, because to maintain an index by customer takes as long as to write the customer.
CREATE TABLE changes (
	seq         INTEGER PRIMARY KEY, -- in the order of the commits; no row is ever deleted
	previous    INTEGER,             -- seq of the customer's change before; NULL for the creation
	tenant      TEXT    NOT NULL,
	customer_id TEXT    NOT NULL,
	version     INTEGER NOT NULL, -- that the change made
	event       TEXT    NOT NULL,
	actor       TEXT    NOT NULL, -- the id of the account or key
	actor_name  TEXT,
	contract    TEXT,
	request_id  TEXT,
	at          INTEGER NOT NULL,
	fields      TEXT    NOT NULL, -- JSON: {"email":[before,after],…}
	snapshot    TEXT              -- all fields after every 16th version, as a change of an empty record
) STRICT;
CREATE INDEX changes_feed ON changes (tenant, seq);
CREATE INDEX snapshots ON changes (tenant, customer_id, version) WHERE version % 16 = 0;
CREATE INDEX snapshots_at ON changes (tenant, customer_id, at, version) WHERE version % 16 = 0;

-- Responses to requests with an idempotency key.
CREATE TABLE idempotency_records (
	tenant   TEXT    NOT NULL,
	actor    TEXT    NOT NULL, -- the id of the account or key
	key      TEXT    NOT NULL,
	digest   TEXT    NOT NULL, -- of the request
	response BLOB    NOT NULL,
	at       INTEGER NOT NULL,

	PRIMARY KEY (tenant, actor, key)
) STRICT;
CREATE INDEX idempotency_records_oldest ON idempotency_records (at);

CREATE TABLE accounts (
	id            TEXT    NOT NULL PRIMARY KEY, -- never used again
	tenant        TEXT    NOT NULL,
	login         TEXT    NOT NULL,
	password_hash TEXT    NOT NULL,
	customers     TEXT, -- JSON array of customer numbers; NULL means all
	created_at    INTEGER NOT NULL,
	revoked_at    INTEGER
) STRICT;
CREATE INDEX accounts_list ON accounts (tenant, created_at, id);
-- Without the tenant, which is unknown at login.
CREATE UNIQUE INDEX accounts_login ON accounts (login) WHERE revoked_at IS NULL;

CREATE TABLE keys (
	id                 TEXT    NOT NULL PRIMARY KEY, -- without the tenant, which the key determines
	tenant             TEXT    NOT NULL,
	name               TEXT    NOT NULL,
	hash               BLOB    NOT NULL,
	scopes             TEXT    NOT NULL, -- JSON array
	created_at         INTEGER NOT NULL,
	revoked_at         INTEGER,
	require_if_match   INTEGER NOT NULL,
	allow_stale_writes INTEGER NOT NULL
) STRICT;
CREATE INDEX keys_list ON keys (tenant, created_at, id);

-- Secrets that all servers of this file share.
CREATE TABLE secrets (
	name   TEXT NOT NULL PRIMARY KEY,
	secret BLOB NOT NULL
) STRICT;
INSERT INTO secrets (name, secret) VALUES ('cursor', randomblob(32));
