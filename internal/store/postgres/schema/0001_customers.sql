-- +goose Up

-- Keys begin with the tenant, and every statement names it, so that Citus can distribute all tables
-- by tenant. Times are microseconds since 1970, UTC. NULL is a value that the customer does not have.
-- Text that is compared or sorted has the order of its bytes.

-- A transaction that writes rows of a tenant locks this row first.
CREATE TABLE tenants (
	tenant      TEXT COLLATE "C" PRIMARY KEY,
	seq         BIGINT  NOT NULL, -- of the newest change
	highest     INTEGER NOT NULL, -- customer number
	lowest_free INTEGER NOT NULL  -- all customer numbers below this one are in use
) WITH (fillfactor = 50);

CREATE TABLE customers (
	tenant TEXT COLLATE "C" NOT NULL,
	id     TEXT COLLATE "C" NOT NULL,
	number INTEGER NOT NULL CHECK (number >= 1), -- never changes

	version    BIGINT NOT NULL CHECK (version >= 1),
	kind       TEXT NOT NULL,
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
	address_editable     BOOLEAN NOT NULL,

	broadband        BOOLEAN NOT NULL,
	district_heating BOOLEAN NOT NULL,
	grid             BOOLEAN NOT NULL,
	power            BOOLEAN NOT NULL,

	confirmed_at BIGINT,
	created_at   BIGINT NOT NULL,
	updated_at   BIGINT NOT NULL,

	PRIMARY KEY (tenant, id),
	UNIQUE (tenant, number)
) WITH (fillfactor = 85); -- room for the next version of a row in the same page
CREATE INDEX customers_confirmed ON customers (tenant, confirmed_at, number);

-- The search index: the terms of each customer, as package terms defines them.
CREATE TABLE terms (
	tenant TEXT COLLATE "C" NOT NULL,
	term   TEXT COLLATE "C" NOT NULL,
	number INTEGER NOT NULL, -- of the customer

	PRIMARY KEY (tenant, term, number)
);

-- All changes: the history of each customer, and the feed of a tenant.
CREATE TABLE changes (
	tenant      TEXT COLLATE "C" NOT NULL,
	seq         BIGINT NOT NULL, -- in the order of the commits
	customer_id TEXT COLLATE "C" NOT NULL,
	number      INTEGER NOT NULL,
	version     BIGINT NOT NULL, -- that the change made
	event       TEXT NOT NULL,
	actor       TEXT NOT NULL, -- the id of the account or key
	actor_name  TEXT,
	contract    TEXT,
	request_id  TEXT,
	at          BIGINT NOT NULL,
	fields      TEXT NOT NULL, -- JSON: {"email":[before,after],…}
	snapshot    TEXT,          -- all fields after every 16th version, as a change of an empty record

	PRIMARY KEY (tenant, seq),
	UNIQUE (tenant, customer_id, version)
);
CREATE INDEX snapshots_at ON changes (tenant, customer_id, at, version) WHERE version % 16 = 0;

-- Responses to requests with an idempotency key.
CREATE TABLE idempotency_records (
	tenant   TEXT COLLATE "C" NOT NULL,
	actor    TEXT COLLATE "C" NOT NULL, -- the id of the account or key
	key      TEXT COLLATE "C" NOT NULL,
	digest   TEXT NOT NULL, -- of the request
	response BYTEA NOT NULL,
	at       BIGINT NOT NULL,

	PRIMARY KEY (tenant, actor, key)
);
CREATE INDEX idempotency_records_oldest ON idempotency_records (tenant, at);

CREATE TABLE accounts (
	id            TEXT COLLATE "C" PRIMARY KEY, -- never used again
	tenant        TEXT COLLATE "C" NOT NULL,
	login         TEXT COLLATE "C" NOT NULL,
	password_hash TEXT NOT NULL,
	customers     TEXT, -- JSON array of customer numbers; NULL means all
	created_at    BIGINT NOT NULL,
	revoked_at    BIGINT
);
CREATE INDEX accounts_list ON accounts (tenant, created_at, id);
-- Without the tenant, which is unknown at login.
CREATE UNIQUE INDEX accounts_login ON accounts (login) WHERE revoked_at IS NULL;

CREATE TABLE keys (
	id                 TEXT COLLATE "C" PRIMARY KEY, -- without the tenant, which the key determines
	tenant             TEXT COLLATE "C" NOT NULL,
	name               TEXT NOT NULL,
	hash               BYTEA NOT NULL,
	scopes             TEXT NOT NULL, -- JSON array
	created_at         BIGINT NOT NULL,
	revoked_at         BIGINT,
	require_if_match   BOOLEAN NOT NULL,
	allow_stale_writes BOOLEAN NOT NULL
);
CREATE INDEX keys_list ON keys (tenant, created_at, id);

-- Secrets that all servers of this database share.
CREATE TABLE secrets (
	name   TEXT COLLATE "C" PRIMARY KEY,
	secret BYTEA NOT NULL
);

-- The progress of a copy from another store. While there is a row, no server opens the database.
CREATE TABLE copy_state (
	one       INTEGER PRIMARY KEY CHECK (one = 1),
	source    TEXT NOT NULL,
	seq       BIGINT NOT NULL, -- of the newest change that the copied customers have
	customers BIGINT NOT NULL, -- the row id in the source of the last copied customer
	changes   BIGINT NOT NULL  -- the seq of the last copied change
);
