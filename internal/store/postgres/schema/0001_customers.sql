-- +goose Up

-- Keys begin with the tenant. Times are microseconds since 1970, UTC. Text that a
-- customer does not have is NULL. Text that is compared or sorted has the order of
-- its bytes, as in the program.
--
-- All that a change writes has the customer's id in its key, so that tables can be
-- sharded by it and a change stays on one shard. There are no foreign keys and no
-- sequences: the statements that write keep what these would.

CREATE TABLE customers (
	tenant TEXT COLLATE "C" NOT NULL,
	id     TEXT COLLATE "C" NOT NULL,
	number INTEGER NOT NULL CHECK (number >= 1),

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

	-- What searches read: the folded names, in whose order customers are listed, and
	-- in one text all that they are found by.
	last_key  TEXT COLLATE "C" NOT NULL,
	first_key TEXT COLLATE "C" NOT NULL,
	keys      TEXT NOT NULL,

	PRIMARY KEY (tenant, id)
) WITH (fillfactor = 85); -- so that the next version finds room beside this one
CREATE INDEX customers_order ON customers (tenant, last_key, first_key, id);

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX customers_keys ON customers USING gin (keys gin_trgm_ops); -- with the tenant before, it is no quicker

-- Which customer has a number. A row never changes.
CREATE TABLE numbers (
	tenant TEXT COLLATE "C" NOT NULL,
	number INTEGER NOT NULL,
	id     TEXT COLLATE "C" NOT NULL,

	PRIMARY KEY (tenant, number)
);

-- Whoever makes customers of a tenant holds its row, so that numbers follow each
-- other.
CREATE TABLE tenants (
	tenant  TEXT COLLATE "C" PRIMARY KEY,
	highest INTEGER NOT NULL, -- number that was given
	filled  INTEGER NOT NULL  -- all numbers up to this one are given; not more than that is known
);

-- What happened to each customer: history and feed in one.
CREATE TABLE changes (
	tenant      TEXT COLLATE "C" NOT NULL,
	customer_id TEXT COLLATE "C" NOT NULL,
	version     BIGINT NOT NULL, -- that the change made
	seq         BIGINT NOT NULL, -- of the transaction that wrote it, and its place therein
	number      INTEGER NOT NULL,
	event       TEXT NOT NULL,
	actor       TEXT NOT NULL,
	contract    TEXT,
	request_id  TEXT,
	at          BIGINT NOT NULL,
	fields      TEXT NOT NULL, -- JSON: {"email":[before,after],…}

	PRIMARY KEY (tenant, customer_id, version)
);
CREATE INDEX changes_feed ON changes (tenant, seq);

-- Where the numbering of changes begins, which follows that of transactions: past
-- all changes that came from another cluster, by a restored dump or by a copy.
CREATE TABLE feed (
	base BIGINT NOT NULL
);
INSERT INTO feed (base) VALUES (0);

-- Answers that are kept for requests that may be sent again.
CREATE TABLE receipts (
	tenant  TEXT COLLATE "C" NOT NULL,
	key     TEXT COLLATE "C" NOT NULL, -- the sender's name for the request
	request TEXT NOT NULL, -- a digest of what it asked for
	answer  BYTEA NOT NULL,
	at      BIGINT NOT NULL,

	PRIMARY KEY (tenant, key)
);
CREATE INDEX receipts_oldest ON receipts (at);

CREATE TABLE accounts (
	login         TEXT COLLATE "C" PRIMARY KEY, -- alone, since it says whose tenant is meant
	tenant        TEXT COLLATE "C" NOT NULL,
	password_hash TEXT NOT NULL,
	customers     INTEGER[], -- their numbers; NULL means all
	created_at    BIGINT NOT NULL,
	revoked_at    BIGINT
);
CREATE INDEX accounts_list ON accounts (tenant, login);

CREATE TABLE keys (
	id              TEXT COLLATE "C" PRIMARY KEY, -- alone, since it says whose tenant is meant
	tenant          TEXT COLLATE "C" NOT NULL,
	name            TEXT NOT NULL,
	hash            BYTEA NOT NULL,
	scopes          TEXT[] NOT NULL,
	created_at      BIGINT NOT NULL,
	revoked_at      BIGINT,
	demand_if_match BOOLEAN NOT NULL,
	overwrite_stale BOOLEAN NOT NULL
);
CREATE INDEX keys_list ON keys (tenant, created_at, id);

-- What the servers on this database share, and nobody else knows.
CREATE TABLE secrets (
	name   TEXT COLLATE "C" PRIMARY KEY,
	secret BYTEA NOT NULL
);

-- The oldest program that may use the database, by the number of its last migration.
-- A migration that takes something away raises it.
CREATE TABLE compatibility (
	oldest INTEGER NOT NULL
);
INSERT INTO compatibility (oldest) VALUES (1);

-- While another store is being copied into these tables, the one row tells which, and
-- how far that has come. No server serves what is not all there.
CREATE TABLE copying (
	one       INTEGER PRIMARY KEY CHECK (one = 1),
	source    TEXT NOT NULL,
	seq       BIGINT NOT NULL, -- of the newest change that the customers have
	customers BIGINT NOT NULL, -- the place in the source of the last one
	changes   BIGINT NOT NULL, -- the seq of the last one
	indexes   TEXT[] NOT NULL  -- the statements that make those that are put off
);
