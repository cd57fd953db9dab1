-- What searches read. All of it follows from customers, and a program that
-- derives it in another way makes it anew; a migration that changes one of these
-- tables sets keys_version to 0, so that this is done.

-- Numbers for tenants, since every key below begins with one.
CREATE TABLE tenants (
	tenant INTEGER PRIMARY KEY,
	name   TEXT NOT NULL UNIQUE
) STRICT;

-- The keys of each customer but for phones, in the order of searches.
CREATE TABLE search (
	tenant     INTEGER NOT NULL,
	last_name  TEXT    NOT NULL,
	first_name TEXT    NOT NULL,
	id         TEXT    NOT NULL,

	number INTEGER NOT NULL,
	keys   TEXT    NOT NULL, -- words, e-mail and postal code, a line each

	PRIMARY KEY (tenant, last_name, first_name, id)
) STRICT, WITHOUT ROWID;

-- Who has a term, in the order of searches. The first letter of a term is its
-- kind: n, a word of the name; e, an e-mail address; m and d, the start of either,
-- with the rest beside it, and with the rests of all words that begin so, a line
-- each.
CREATE TABLE terms (
	tenant     INTEGER NOT NULL,
	term       TEXT    NOT NULL,
	last_name  TEXT    NOT NULL,
	first_name TEXT    NOT NULL,
	id         TEXT    NOT NULL,
	rest       TEXT,

	PRIMARY KEY (tenant, term, last_name, first_name, id)
) STRICT, WITHOUT ROWID;

-- Who has a piece of a phone, or a postal code. A rowid begins with the start of
-- the last name, so that hits come roughly in the order of searches.
CREATE VIRTUAL TABLE pieces USING fts5 (
	piece,
	content = '', detail = 'none', columnsize = 0, tokenize = 'ascii'
);

-- The one row tells which KeysVersion the rows above are of, and, while they are
-- being made anew, the last customer that is done.
CREATE TABLE search_state (
	keys_version INTEGER NOT NULL,
	tenant       TEXT,
	id           TEXT
) STRICT;
INSERT INTO search_state (keys_version) VALUES (0);
