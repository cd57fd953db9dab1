package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/store/sqlite"
)

func newImport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Create or update customers from NDJSON",
		Long: `Import reads one JSON object a line, with the names that "customer get" writes, and
creates the customer or updates the one with the same id or number. An absent member
leaves what it names as it is; null clears it. "-" is standard input.

A line with neither id nor number names a customer by its whole text: the same line
again is the same customer. So a file can be imported twice: what is as it should be
is not written again. An import that was interrupted, or that ran out of disk, goes on
when it is run again.

A line that breaks a rule is reported with its number, and the import goes on; the
exit status is 1 in the end.`,
		Example: `  kartotek customer import --tenant t customers.ndjson
  echo '{"number":42,"lastName":"Nordmann"}' | kartotek customer import --tenant t -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			tenant, err := tenantOf(cmd)
			if err != nil {
				return err
			}
			in, size, err := openInput(cmd, args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			return withStore(cmd, func(store *sqlite.Store) error {
				progress := newProgress(cmd.ErrOrStderr(), size)
				imp := importer{customers: newService(store), by: operator(tenant), report: progress.above, progress: progress.show}
				err := imp.run(cmd.Context(), in)
				progress.clear()
				fmt.Fprintln(cmd.ErrOrStderr(), imp.counts.String())
				return err
			})
		},
	}
	tenantFlag(cmd)
	return cmd
}

// openInput opens a file, or standard input for "-". The size is 0 when it is not
// known.
func openInput(cmd *cobra.Command, name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), 0, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

const (
	// importBatch is how many lines become durable together: enough to make the
	// disk's part small, few enough that a server on the same file is not kept
	// waiting.
	importBatch = 250

	// maxLine is the longest line, in bytes; a record has at most a tenth of it.
	maxLine = 1 << 20
)

// importer reads lines, and puts their customers in batches.
type importer struct {
	customers *customer.Service
	by        access.Actor
	report    func(line int, reason string)
	progress  func(bytes int64)
	counts    counts

	entries  []customer.Entry // the batch
	lines    []int            // where its entries come from
	refusals []refusal        // of the batch
}

type refusal struct {
	line   int
	reason string
}

// counts are of the batches that were put.
type counts struct{ lines, created, updated, unchanged, refused int }

func (c counts) String() string {
	return fmt.Sprintf("%d lines: %d created, %d updated, %d unchanged, %d refused",
		c.lines, c.created, c.updated, c.unchanged, c.refused)
}

func (i *importer) run(ctx context.Context, in io.Reader) error {
	r := bufio.NewReaderSize(in, 64<<10)
	var read int64
	for number := 1; ; number++ {
		line, n, err := readLine(r)
		read += n
		if n > 0 {
			i.add(number, line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return errors.Join(fmt.Errorf("line %d: %w", number, err), i.flush(ctx))
		}
		if len(i.entries)+len(i.refusals) >= importBatch {
			if err := i.flush(ctx); err != nil {
				return err
			}
			i.progress(read)
		}
	}
	if err := i.flush(ctx); err != nil {
		return err
	}
	if i.counts.refused > 0 {
		return fmt.Errorf("%d of %d lines were refused", i.counts.refused, i.counts.lines)
	}
	return nil
}

// readLine reads a line of any length and keeps at most maxLine+1 bytes of it. n
// is what it took from r.
func readLine(r *bufio.Reader) (line []byte, n int64, err error) {
	for {
		part, err := r.ReadSlice('\n')
		n += int64(len(part))
		if room := maxLine + 1 - len(line); room > 0 {
			line = append(line, part[:min(len(part), room)]...)
		}
		if err != bufio.ErrBufferFull {
			return line, n, err
		}
	}
}

// add takes a line into the batch, or reports it. Empty lines do not count.
func (i *importer) add(number int, line []byte) {
	if number == 1 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	if len(line) > maxLine {
		i.refuse(number, fault.New(fault.TooLarge, "is longer than %d bytes", maxLine))
		return
	}
	r, err := readRecord(line)
	if err != nil {
		i.refuse(number, err)
		return
	}
	entry := customer.Entry{ID: strings.ToLower(r.ID.Value()), Number: r.Number.Value(), Edit: r.patch().Apply}
	if entry.ID == "" && entry.Number == 0 {
		entry.ID = idOf(i.by.Tenant, line)
	}
	i.entries = append(i.entries, entry)
	i.lines = append(i.lines, number)
}

// idOf is the id of a customer that nothing but the text of its line names.
func idOf(tenant string, line []byte) string {
	return uuid.NewSHA1(uuid.NewSHA1(uuid.NameSpaceURL, []byte("kartotek:"+tenant)), line).String()
}

// flush puts the batch and reports what was refused of it, in the order of the
// lines.
func (i *importer) flush(ctx context.Context) error {
	results, err := i.customers.Put(ctx, i.by, i.entries)
	if err != nil {
		return fmt.Errorf("stopped before line %d, and goes on there when it is run again: %w", i.lines[0], err)
	}
	i.counts.lines += len(i.entries) + len(i.refusals)
	for n, result := range results {
		switch {
		case result.Err != nil:
			i.refuse(i.lines[n], result.Err)
		case result.Change.Empty():
			i.counts.unchanged++
		case result.Change.Event() == customer.EventCreated:
			i.counts.created++
		default:
			i.counts.updated++
		}
	}
	i.counts.refused += len(i.refusals)
	slices.SortFunc(i.refusals, func(a, b refusal) int { return cmp.Compare(a.line, b.line) })
	for _, r := range i.refusals {
		i.report(r.line, r.reason)
	}
	i.entries, i.lines, i.refusals = i.entries[:0], i.lines[:0], i.refusals[:0]
	return nil
}

func (i *importer) refuse(line int, err error) {
	i.refusals = append(i.refusals, refusal{line, reasons(err)})
}
