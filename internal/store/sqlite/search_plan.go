package sqlite

import (
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

const (
	// maxLists is how many lists are merged.
	maxLists = 100

	// fewRows is how many are read, whatever their order, and sorted: so many for
	// each letter that a start is longer than the lists of starts have it, since
	// with each letter it has a smaller part of its list.
	fewRows     = 256
	mostFewRows = 2048

	// beyond is after all texts that begin with what stands before it: UTF-8 has
	// no such byte.
	beyond = "\xff"
)

// plan returns the source that the query's terms lead to: everyone, when no index
// narrows them.
func (s *search) plan() (source, error) {
	var sources []source
	for _, t := range s.terms[:min(len(s.terms), maxPlanned)] {
		src, err := s.planTerm(t)
		if err != nil {
			return nil, err
		}
		if src != nil {
			sources = append(sources, src)
		}
	}
	switch len(sources) {
	case 0:
		return s.everyone(), nil
	case 1:
		return sources[0], nil
	}
	return &intersection{search: s, sources: sources}, nil
}

// planTerm returns nil when an index for some part of the term is missing, or
// would be slower than to read everyone.
func (s *search) planTerm(t customer.Term) (source, error) {
	var sources []source
	for _, part := range []func(customer.Term) ([]source, bool, error){s.named, s.mailed, s.numbered, s.pieced} {
		more, narrows, err := part(t)
		if err != nil || !narrows {
			return nil, err
		}
		sources = append(sources, more...)
	}
	if len(sources) == 1 {
		return sources[0], nil
	}
	return &union{fresh: sources}, nil
}

// named finds the starts of words of the name. A start that too many words have
// does not help to find the others.
func (s *search) named(t customer.Term) ([]source, bool, error) {
	var all []source
	for _, start := range t.Name[:min(len(t.Name), maxPlanned)] {
		sources, narrows, err := s.namedBy(start)
		if err != nil {
			return nil, false, err
		}
		if narrows {
			all = append(all, &union{fresh: sources})
		}
	}
	if len(all) < 2 {
		return all, len(all) == min(1, len(t.Name)), nil
	}
	return []source{&intersection{search: s, sources: all}}, true, nil
}

// namedBy finds one start of a word: in the order of last names, and in the lists
// of other words.
func (s *search) namedBy(start string) ([]source, bool, error) {
	var sources []source
	narrows := false
	var err error
	if len(start) > wordKind.starts[0].length { // few words begin so, though many customers may
		sources, narrows, err = s.lists(wordKind.letter + start)
	}
	if err == nil && !narrows {
		sources, narrows, err = s.beginning(wordKind, start)
	}
	return append(sources, s.between(start, start+beyond)), narrows, err
}

func (s *search) mailed(t customer.Term) ([]source, bool, error) {
	if t.Email == "" {
		return nil, true, nil
	}
	return s.beginning(emailKind, t.Email)
}

// beginning finds those who have a term that begins so: among the terms themselves,
// when few have it; in the lists of all longer starts that begin so, unless they are
// many; or in the list of a shorter start, which tells who else is in it.
func (s *search) beginning(k kind, text string) ([]source, bool, error) {
	longer := slices.IndexFunc(k.starts, func(of startKind) bool { return len(text) < of.length })
	if longer == 0 {
		return s.lists(k.starts[0].letter + text)
	}
	if longer < 0 {
		longer = len(k.starts)
	}
	list, rest := k.cut(longer-1, text)
	if rest == "" {
		return []source{s.list(list, "")}, true, nil
	}
	few, err := s.atMost(min(fewRows*len(rest), mostFewRows), k.letter+text)
	if err != nil {
		return nil, false, err
	}
	if few {
		return []source{s.gathered(k.letter + text)}, true, nil
	}
	if longer < len(k.starts) {
		sources, narrows, err := s.lists(k.starts[longer].letter + text)
		if err != nil || narrows {
			return sources, narrows, err
		}
	}
	return []source{s.list(list, rest)}, true, nil
}

func (s *search) numbered(t customer.Term) ([]source, bool, error) {
	if t.Number == 0 {
		return nil, true, nil
	}
	c, found, err := s.byNumber(t.Number)
	if err != nil || !found {
		return nil, true, err
	}
	return []source{s.sorted([]candidate{c})}, true, nil
}

func (s *search) byNumber(number int32) (candidate, bool, error) {
	found, err := find(s.conn, customer.ByNumber(s.name, number))
	if fault.Is(err, fault.NotFound) {
		return candidate{}, false, nil
	}
	if err != nil {
		return candidate{}, false, err
	}
	s.rows++
	return candidate{Position: customer.PositionOf(found.Customer), record: &found.Customer}, true, nil
}

// pieced finds phones and postal codes.
func (s *search) pieced(t customer.Term) ([]source, bool, error) {
	var match []string
	for _, digits := range t.Phones {
		if len(digits) < customer.MinDigits {
			return nil, false, nil
		}
		match = append(match, matchPhone(s.tenant, digits))
	}
	for _, code := range t.PostalCodes {
		p := postalPiece(s.tenant, code)
		if p == "" {
			return nil, false, nil
		}
		match = append(match, p)
	}
	if len(match) == 0 {
		return nil, true, nil
	}
	return []source{&pieces{search: s, match: strings.Join(match, " OR ")}}, true, nil
}

// everyone proposes all customers.
func (s *search) everyone() source {
	all := s.between("", beyond)
	all.ahead = mostAhead / 4
	return all
}

// between proposes those whose last name is not before first, and before end.
func (s *search) between(first, end string) *run {
	return &run{search: s, read: func(from customer.Position, n int) ([]candidate, bool, error) {
		if from.LastName < first {
			from = customer.Position{LastName: first}
		}
		return s.rowsOf(entriesBetween, n, func(stmt *sqlite.Stmt) candidate {
			e := scanEntry(stmt)
			return candidate{Position: e.Position, entry: e}
		}, from.LastName, from.FirstName, from.ID, end)
	}}
}

// list proposes those who have a term, and a rest of it that begins so.
func (s *search) list(text, rest string) *run {
	return &run{search: s, read: func(from customer.Position, n int) ([]candidate, bool, error) {
		return s.rowsOf(termsFrom, n, func(stmt *sqlite.Stmt) candidate {
			c := candidate{Position: scanPosition(stmt)}
			c.unfit = rest != "" && !strings.Contains("\n"+stmt.ColumnText(3), "\n"+rest)
			return c
		}, text, from.LastName, from.FirstName, from.ID)
	}}
}

// lists are those of all terms with this start, unless they are too many.
func (s *search) lists(start string) ([]source, bool, error) {
	stmt, err := s.conn.Prepare(nextTerm)
	if err != nil {
		return nil, false, err
	}
	var lists []source
	for last := start; len(lists) <= maxLists; {
		stmt.BindInt64(1, s.tenant)
		stmt.BindText(2, last)
		stmt.BindText(3, start+beyond)
		found, err := stmt.Step()
		if err != nil {
			return nil, false, err
		}
		if !found {
			return lists, true, nil
		}
		text := stmt.ColumnText(3)
		list, head := s.list(text, ""), candidate{Position: scanPosition(stmt)}
		list.rows, list.last = []candidate{head}, head.Position
		lists, last = append(lists, list), text+"\x00"
		if err := stmt.Reset(); err != nil {
			return nil, false, err
		}
	}
	return nil, false, nil
}

// atMost reports whether no more than n rows have a term with this start.
func (s *search) atMost(n int, start string) (few bool, err error) {
	few = true
	err = sqlitex.Execute(s.conn, nthTerm, &sqlitex.ExecOptions{
		Args: []any{s.tenant, start, start + beyond, n},
		ResultFunc: func(*sqlite.Stmt) error {
			few = false
			return nil
		},
	})
	return few, err
}

// gathered proposes those who have any term with this start. They are sorted each
// time that some are read.
func (s *search) gathered(start string) *run {
	return &run{search: s, ahead: mostAhead / 8, read: func(from customer.Position, n int) ([]candidate, bool, error) {
		return s.rowsOf(termsBetween, n, func(stmt *sqlite.Stmt) candidate {
			return candidate{Position: scanPosition(stmt)}
		}, start, start+beyond, from.LastName, from.FirstName, from.ID)
	}}
}

// rowsOf runs a query that begins with the tenant and ends with a limit. It
// reports whether there were fewer rows than that.
func (s *search) rowsOf(query string, limit int, scan func(*sqlite.Stmt) candidate, args ...any) ([]candidate, bool, error) {
	var rows []candidate
	err := sqlitex.Execute(s.conn, query, &sqlitex.ExecOptions{
		Args: append(append([]any{s.tenant}, args...), limit),
		ResultFunc: func(stmt *sqlite.Stmt) error {
			rows = append(rows, scan(stmt))
			return nil
		},
	})
	return rows, len(rows) < limit, err
}

const (
	entriesBetween = selectEntries + `
		AND (last_name, first_name, id) >= (?, ?, ?) AND last_name < ?
		ORDER BY last_name, first_name, id
		LIMIT ?`

	termsFrom = `
		SELECT last_name, first_name, id, rest
		FROM terms
		WHERE tenant = ? AND term = ? AND (last_name, first_name, id) >= (?, ?, ?)
		ORDER BY last_name, first_name, id
		LIMIT ?`

	termsBetween = `
		SELECT last_name, first_name, id
		FROM terms
		WHERE tenant = ? AND term >= ? AND term < ? AND (last_name, first_name, id) >= (?, ?, ?)
		ORDER BY last_name, first_name, id
		LIMIT ?`

	nthTerm = `
		SELECT 1
		FROM terms
		WHERE tenant = ? AND term >= ? AND term < ?
		LIMIT 1 OFFSET ?`

	nextTerm = `
		SELECT last_name, first_name, id, term
		FROM terms
		WHERE tenant = ? AND term >= ? AND term < ?
		ORDER BY term, last_name, first_name, id
		LIMIT 1`
)
