package sqlite

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"kartotek/internal/customer"
	"kartotek/internal/store/layout"
)

// builder makes what searches read, for all customers. Rows that come in the order
// of their tables are written in a fifth of the time that it takes to put each
// where it belongs. So the rows of one moment are staged, sorted, and written in
// steps, between which other processes get their turn to write. Changes leave the
// index alone meanwhile; what they did is made good from the history.
//
// The index is not done before the last step. When it is interrupted, the next
// one begins anew.
type builder struct {
	conn    *sqlite.Conn
	tell    func(part float64)
	tenants map[string]int64
	stages  []*stage
	seq     int64 // of the last change that the rows have
	last    int64 // row of the customers
	staged  int64 // rows of the index
	written int64 // of these
}

// rebuild makes the index. Only one process may do so at a time.
func rebuild(ctx context.Context, conn *sqlite.Conn, tell func(part float64)) (err error) {
	defer conn.SetInterrupt(conn.SetInterrupt(ctx.Done()))
	b := &builder{conn: conn, tell: tell, tenants: map[string]int64{}}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(ctx); err != nil {
		return err
	}
	for _, phase := range phases {
		if err := phase(b); err != nil {
			return err
		}
	}
	return nil
}

var phases = []func(*builder) error{
	(*builder).clear, (*builder).stage, (*builder).write, (*builder).merge, (*builder).catchUp,
}

// open opens the stages. They are closed also when it fails.
func (b *builder) open(ctx context.Context) error {
	for _, table := range stagedTables {
		s, err := openStage(ctx, table)
		if err != nil {
			return err
		}
		b.stages = append(b.stages, s)
	}
	return nil
}

func (b *builder) close() (err error) {
	for _, s := range b.stages {
		err = errors.Join(err, s.conn.Close())
	}
	return err
}

// stagingPart is which part of the time it takes to stage the rows.
const stagingPart = 0.4

// manyCustomers is how many take so long that it is told.
const manyCustomers = 10_000

func (b *builder) report(part float64) {
	if b.tell != nil && b.last > manyCustomers {
		b.tell(part)
	}
}

// step runs fn in a transaction, after a pause in which others may begin theirs.
func (b *builder) step(fn func() error) (err error) {
	time.Sleep(maxPause)
	var end func(*error)
	err = whileBusy(lockPatience, func() (err error) {
		end, err = sqlitex.ImmediateTransaction(b.conn)
		return err
	})
	if err != nil {
		return err
	}
	defer end(&err)
	return fn()
}

// clear empties the index. Changes leave it alone from now on.
func (b *builder) clear() error {
	return b.step(func() error {
		for _, query := range []string{dropEntries, dropTerms, dropPieces, largeParts} {
			if err := execute(b.conn, query); err != nil {
				return err
			}
		}
		return setIndexVersion(b.conn, 0)
	})
}

// stage derives the rows of all customers that there are at one moment.
func (b *builder) stage() error {
	feeds := make([]chan []staging, len(b.stages))
	errs := make([]error, len(b.stages))
	var wg sync.WaitGroup
	for i, s := range b.stages {
		feeds[i] = make(chan []staging, 2)
		wg.Go(func() { errs[i] = s.fill(feeds[i]) })
	}
	err := b.scan(func(batch []staging) {
		for _, feed := range feeds {
			feed <- batch
		}
	})
	for _, feed := range feeds {
		close(feed)
	}
	wg.Wait()
	return errors.Join(append(errs, err, b.addTenants())...)
}

// aheadCustomers is how many customers are read at once.
const aheadCustomers = 256

// scan reads all customers, in the order in which they stand in the file.
func (b *builder) scan(stage func([]staging)) (err error) {
	end := sqlitex.Transaction(b.conn) // what the statements read is of one moment
	defer end(&err)
	if b.seq, err = lastSeq(b.conn); err != nil {
		return err
	}
	if b.last, err = integer(b.conn, lastCustomer); err != nil {
		return err
	}
	if err := b.findTenants(); err != nil {
		return err
	}
	var batch []staging
	err = sqlitex.Execute(b.conn, allCustomers, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		c := scanCustomer(stmt)
		batch = append(batch, staging{b.tenant(c.Tenant), c, entryOf(c)})
		if len(batch) == aheadCustomers {
			stage(batch)
			batch = nil
			b.report(stagingPart * float64(stmt.ColumnInt64(len(layout.Columns))) / float64(b.last))
		}
		return nil
	}})
	stage(batch)
	return err
}

func (b *builder) findTenants() error {
	return sqlitex.Execute(b.conn, selectTenants, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		b.tenants[stmt.ColumnText(0)] = stmt.ColumnInt64(1)
		return nil
	}})
}

// tenant is the number of a tenant. Nobody else gives numbers meanwhile.
func (b *builder) tenant(name string) int64 {
	if b.tenants[name] == 0 {
		b.tenants[name] = slices.Max(append(slices.Collect(maps.Values(b.tenants)), 0)) + 1
	}
	return b.tenants[name]
}

func (b *builder) addTenants() error {
	return b.step(func() error {
		for name, tenant := range b.tenants {
			err := sqlitex.Execute(b.conn, keepTenant, &sqlitex.ExecOptions{Args: []any{name, tenant}})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// write copies the rows into their tables. All are sorted at once, while the first
// of them are written.
func (b *builder) write() error {
	for _, s := range b.stages {
		rows, err := integer(s.conn, s.count)
		if err != nil {
			return err
		}
		b.staged += rows
	}
	stop := make(chan struct{})
	sorted := make([]chan []value, len(b.stages))
	errs := make([]error, len(b.stages))
	var wg sync.WaitGroup
	for i, s := range b.stages {
		sorted[i] = make(chan []value, 4)
		wg.Go(func() { errs[i] = s.read(sorted[i], stop) })
	}
	var err error
	for i, s := range b.stages {
		if err = b.copy(s, sorted[i]); err != nil {
			break
		}
	}
	close(stop)
	wg.Wait()
	return cmp.Or(err, errors.Join(errs...))
}

// copy writes the rows of one stage. It does not hold others up while these are
// being sorted.
func (b *builder) copy(s *stage, sorted <-chan []value) error {
	for first := range sorted {
		err := b.step(func() error {
			over := time.After(s.step)
			for some, more := first, true; more; {
				rows, err := s.put(b.conn, some)
				if err != nil {
					return err
				}
				b.written += rows
				select {
				case some, more = <-sorted:
				case <-over:
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		b.report(stagingPart + (1-stagingPart)*float64(b.written)/float64(b.staged))
	}
	return nil
}

// merge makes one part of the parts that pieces were written in.
func (b *builder) merge() error {
	for before, after := int64(0), int64(2); after-before > 1; { // to find nothing to do is one change
		err := b.step(func() (err error) {
			if before, err = integer(b.conn, totalChanges); err != nil {
				return err
			}
			if err := execute(b.conn, mergeParts); err != nil {
				return err
			}
			after, err = integer(b.conn, totalChanges)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// catchUp makes good what has been changed since the rows were staged. Only when
// that is nothing more is the index done.
func (b *builder) catchUp() error {
	for done := false; !done; {
		err := b.step(func() (err error) {
			last := b.seq
			if b.seq, err = replay(b.conn, last); err != nil || b.seq != last {
				return err
			}
			done = true
			return errors.Join(execute(b.conn, commonParts), setIndexVersion(b.conn, customer.KeysVersion), setIndexSeq(b.conn, b.seq))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// allCustomers are in the order of the file. The last column says how far that is.
var allCustomers = `
	SELECT ` + layout.Names(layout.Columns) + `, rowid
	FROM customers
	ORDER BY rowid`

const (
	lastCustomer = "SELECT max(rowid) FROM customers"
	totalChanges = "SELECT total_changes()"

	selectTenants = `
		SELECT name, tenant
		FROM tenants`

	keepTenant = `
		INSERT OR IGNORE INTO tenants (name, tenant)
		VALUES (?, ?)`

	dropEntries = "DELETE FROM search"
	dropTerms   = "DELETE FROM terms"
	dropPieces  = "INSERT INTO pieces (pieces) VALUES ('delete-all')"

	// It is quicker to write large parts, and to merge them when all are written.
	largeParts  = "INSERT INTO pieces (pieces, rank) VALUES ('hashsize', 16777216)"
	commonParts = "INSERT INTO pieces (pieces, rank) VALUES ('hashsize', 1048576)" // as it is by itself
	mergeParts  = "INSERT INTO pieces (pieces, rank) VALUES ('merge', -2000)"      // pages
)
