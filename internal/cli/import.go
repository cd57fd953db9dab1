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
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"kartotek/internal/access"
	"kartotek/internal/contract/native"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

func newImport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Create or update customers from NDJSON",
		Long: `Read one JSON object per line, in the format of "customer get", and create the customer or
update the one with the same id or number. An absent field stays unchanged; null clears it.
FILE "-" is standard input.

The whole text of a line without id and number identifies its customer, so the same line
again is the same customer. Importing a file again changes nothing. Run the command again to
continue an import that was interrupted or ran out of disk space.

A line that breaks a rule is reported with its number. The import continues, and the exit
status is 1.`,
		Example: `  kartotek customer import --tenant t customers.ndjson
  echo '{"number":42,"lastName":"Nordmann"}' | kartotek customer import --tenant t -`,
		Args: cobra.ExactArgs(1),
	}
	return withTenant(cmd, func(cmd *cobra.Command, args []string, tenant string) error {
		in, size, err := openInput(cmd, args[0])
		if err != nil {
			return err
		}
		defer in.Close()
		return withStore(cmd, func(store backend) error {
			return importInto(cmd, store, tenant, in, size)
		})
	})
}

func importInto(cmd *cobra.Command, store backend, tenant string, in io.Reader, size int64) error {
	out := cmd.ErrOrStderr()
	bar := newProgress(out, size)
	imp := importer{customers: newService(store), actor: cliActor(tenant), report: bar.reportLine, progress: bar.show}
	err := imp.run(cmd.Context(), in)
	bar.clear()
	fmt.Fprintln(out, imp.counts.String())
	return err
}

// openInput opens a file, or standard input for "-". The size is 0 if unknown.
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
	// A batch is committed at once. It is large enough to make the commit cheap per line, and
	// small enough not to delay the requests of a server on the same store.
	minBatch  = 250
	maxBatch  = 8 * minBatch
	fastBatch = 25 * time.Millisecond
	slowBatch = 100 * time.Millisecond

	// batchPause lets other processes write.
	batchPause = 2 * time.Millisecond

	// maxLine is the longest line, in bytes: over ten times the longest record.
	maxLine = 1 << 20
)

// importer writes the customers of an input in batches, and reads ahead meanwhile.
type importer struct {
	customers *customer.Service
	actor     access.Actor
	report    func(line int, reason string)
	progress  func(bytes int64)
	counts    counts
	batchSize int // lines in the next batch
}

// batch is a number of consecutive lines.
type batch struct {
	entries  []customer.Upsert
	lines    []int          // line number of each entry
	rejected []rejectedLine // lines without an entry
	read     int64          // bytes of input up to the end of the batch
	err      error          // why reading stopped after these lines
}

type rejectedLine struct {
	line   int
	reason string
}

func (b *batch) size() int { return len(b.entries) + len(b.rejected) }

func (b *batch) reject(line int, err error) {
	b.rejected = append(b.rejected, rejectedLine{line, reasons(err)})
}

// counts counts the lines of the written batches.
type counts struct{ lines, created, updated, unchanged, rejected int }

func (c counts) String() string {
	return fmt.Sprintf("%d lines: %d created, %d updated, %d unchanged, %d rejected",
		c.lines, c.created, c.updated, c.unchanged, c.rejected)
}

// run imports all lines. The goroutine that reads ahead ends when ctx is done or in is closed.
func (i *importer) run(ctx context.Context, in io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ahead := make(chan batch, maxBatch/minBatch)
	go readAhead(ctx, i.actor.Tenant, in, ahead)
	i.batchSize = minBatch
	for b := range ahead {
		for b.size() < i.batchSize {
			next, more := <-ahead
			if !more {
				break
			}
			b = b.append(next)
		}
		if err := i.put(ctx, b); err != nil {
			return err
		}
		if b.err != nil {
			return b.err
		}
		i.progress(b.read)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if i.counts.rejected > 0 {
		return fmt.Errorf("%d of %d lines were rejected", i.counts.rejected, i.counts.lines)
	}
	return nil
}

// append returns b followed by next.
func (b batch) append(next batch) batch {
	return batch{
		append(b.entries, next.entries...), append(b.lines, next.lines...), append(b.rejected, next.rejected...),
		next.read, next.err,
	}
}

// readAhead sends the lines to out in batches of minBatch, and closes out at the end.
func readAhead(ctx context.Context, tenant string, in io.Reader, out chan<- batch) {
	defer close(out)
	r := bufio.NewReaderSize(in, 64<<10)
	var b batch
	for number := 1; ; number++ {
		line, n, err := readLine(r)
		b.read += n
		if n > 0 {
			b.add(tenant, number, line)
		}
		if err != nil && err != io.EOF {
			b.err = fmt.Errorf("line %d: %w", number, err)
		}
		if b.size() < minBatch && err == nil {
			continue
		}
		select {
		case out <- b:
			b = batch{read: b.read}
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// readLine reads a line of any length and returns at most maxLine+1 bytes of it. n is the
// length of the whole line.
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

// add parses a line into the batch. It ignores an empty line.
func (b *batch) add(tenant string, number int, line []byte) {
	if number == 1 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	if len(line) > maxLine {
		b.reject(number, fault.New(fault.TooLarge, "is longer than %d bytes", maxLine))
		return
	}
	entry, err := native.ParseUpsert(line)
	if err != nil {
		b.reject(number, err)
		return
	}
	if entry.ID == "" && entry.Number == 0 {
		entry.ID = generatedID(tenant, line)
	}
	b.entries = append(b.entries, entry)
	b.lines = append(b.lines, number)
}

// generatedID returns the id of a customer that only the text of its line identifies.
func generatedID(tenant string, line []byte) string {
	return uuid.NewSHA1(uuid.NewSHA1(uuid.NameSpaceURL, []byte("kartotek:"+tenant)), line).String()
}

// put writes the batch and reports its rejected lines in order.
func (i *importer) put(ctx context.Context, b batch) error {
	began := time.Now()
	results, err := i.customers.Upsert(ctx, i.actor, b.entries)
	if err != nil {
		return fmt.Errorf("stopped before line %d; run the command again to continue: %w", b.lines[0], err)
	}
	switch took := time.Since(began); {
	case took < fastBatch:
		i.batchSize = min(2*i.batchSize, maxBatch)
	case took > slowBatch:
		i.batchSize = max(i.batchSize/2, minBatch)
	}
	i.counts.lines += b.size()
	for n, result := range results {
		switch {
		case result.Err != nil:
			b.reject(b.lines[n], result.Err)
		case result.Change.Empty():
			i.counts.unchanged++
		case result.Change.Event() == customer.EventCreated:
			i.counts.created++
		default:
			i.counts.updated++
		}
	}
	i.counts.rejected += len(b.rejected)
	slices.SortFunc(b.rejected, func(a, b rejectedLine) int { return cmp.Compare(a.line, b.line) })
	for _, r := range b.rejected {
		i.report(r.line, r.reason)
	}
	time.Sleep(batchPause)
	return nil
}
