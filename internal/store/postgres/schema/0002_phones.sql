-- +goose Up

-- What customers are found by whose phones have changed since the keys beside their
-- records were written. A new phone so leaves the record's indexes alone, with all
-- that these have of names and addresses.
CREATE TABLE phones (
	tenant TEXT COLLATE "C" NOT NULL,
	id     TEXT COLLATE "C" NOT NULL, -- of the customer
	digits TEXT NOT NULL, -- as they are in keys

	PRIMARY KEY (tenant, id)
) WITH (fillfactor = 85);
CREATE INDEX phones_digits ON phones USING gin (digits gin_trgm_ops);
