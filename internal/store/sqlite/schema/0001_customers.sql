-- Keys begin with the tenant. Times are microseconds since 1970, UTC. Text that
-- a customer does not have is NULL.

-- A rowid table, because its rows are wide: the keys stay in narrow indexes that
-- an update never touches.
CREATE TABLE customers (
	tenant TEXT    NOT NULL,
	id     TEXT    NOT NULL,
	number INTEGER NOT NULL CHECK (number >= 1),

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

	PRIMARY KEY (tenant, id),
	UNIQUE (tenant, number)
) STRICT;

-- What happened to each customer: history and feed in one.
CREATE TABLE changes (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of the commits; never used twice
	tenant      TEXT    NOT NULL,
	customer_id TEXT    NOT NULL,
	version     INTEGER NOT NULL, -- that the change made
	event       TEXT    NOT NULL,
	actor       TEXT    NOT NULL,
	contract    TEXT,
	request_id  TEXT,
	at          INTEGER NOT NULL,
	fields      TEXT    NOT NULL, -- JSON: {"email":[before,after],…}

	UNIQUE (tenant, customer_id, version),
	FOREIGN KEY (tenant, customer_id) REFERENCES customers (tenant, id)
) STRICT;
CREATE INDEX changes_feed ON changes (tenant, seq);

CREATE TABLE accounts (
	login         TEXT    NOT NULL PRIMARY KEY, -- alone, since it says whose tenant is meant
	tenant        TEXT    NOT NULL,
	password_hash TEXT    NOT NULL,
	customers     TEXT, -- JSON array of their numbers; NULL means all
	created_at    INTEGER NOT NULL,
	revoked_at    INTEGER
) STRICT;
CREATE INDEX accounts_list ON accounts (tenant, login);

CREATE TABLE keys (
	id         TEXT    NOT NULL PRIMARY KEY, -- alone, since it says whose tenant is meant
	tenant     TEXT    NOT NULL,
	name       TEXT    NOT NULL,
	hash       BLOB    NOT NULL,
	scopes     TEXT    NOT NULL, -- JSON array
	created_at INTEGER NOT NULL,
	revoked_at INTEGER
) STRICT;
CREATE INDEX keys_list ON keys (tenant, created_at, id);
