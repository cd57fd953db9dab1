-- The lists of starts (0003) are of other lengths: c and b are longer starts of
-- e-mail addresses than d, and the rest beside a start ends where a longer one has a
-- list. A piece of a phone has five digits, or is the last four. So the index is made
-- anew.
UPDATE search_state
SET keys_version = 0;
