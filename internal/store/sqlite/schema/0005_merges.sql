-- FTS5 merged its parts while it wrote some of them, at times for 40 ms. Whoever
-- has the index follow the changes merges now, a little each time.
INSERT INTO pieces (pieces, rank) VALUES ('automerge', 0);
