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

A line that breaks a rule, or that has the number or id of an earlier line, is reported with its
number. The import continues, and the exit status is 1.`,
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
		return withStore(cmd, options{create: true}, func(store backend) error {
			bar := newProgress(cmd.ErrOrStderr(), size)
			imp := importer{customers: newService(store), actor: cliActor(tenant), report: bar.reportLine, progress: bar.show}
			err := imp.run(cmd.Context(), in)
			bar.clear()
			fmt.Fprintf(cmd.ErrOrStderr(), "%d lines: %d created, %d updated, %d unchanged, %d rejected\n",
				imp.lines, imp.created, imp.updated, imp.unchanged, imp.rejected)
			return err
		})
	})
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
	batchSize int // lines in the next batch

	lines, created, updated, unchanged, rejected int // of the written batches
}

// importLine is a line of the input that is not empty.
type importLine struct {
	number int
	entry  customer.Upsert
	err    error // why the line is rejected
	end    int64 // bytes of input up to the end of the line
}

// run imports all lines. Its goroutine that reads ahead ends when ctx is done or in is closed.
func (i *importer) run(ctx context.Context, in io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ahead := make(chan importLine, maxBatch)
	var readErr error // set before ahead is closed
	go func() {
		defer close(ahead)
		readErr = readAhead(ctx, i.actor.Tenant, in, ahead)
	}()
	i.batchSize = minBatch
	for first := range ahead {
		batch := []importLine{first}
		for len(batch) < i.batchSize {
			line, more := <-ahead
			if !more {
				break
			}
			batch = append(batch, line)
		}
		if err := i.put(ctx, batch); err != nil {
			return err
		}
		i.progress(batch[len(batch)-1].end)
	}
	if readErr != nil {
		return readErr
	}
	if i.rejected > 0 {
		return fmt.Errorf("%d of %d lines were rejected", i.rejected, i.lines)
	}
	return nil
}

// readAhead sends the lines that are not empty to out.
func readAhead(ctx context.Context, tenant string, in io.Reader, out chan<- importLine) error {
	r := bufio.NewReaderSize(in, 64<<10)
	if err := checkFormat(r); err != nil {
		return err
	}
	earlier := lineIndex{numbers: map[int32]int{}, ids: map[string]int{}}
	var end int64
	for number := 1; ; number++ {
		text, n, readErr := readLine(r)
		end += n
		if number == 1 {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			entry, err := parseLine(text)
			if err == nil {
				err = earlier.add(number, entry)
			}
			if entry.ID == "" && entry.Number == 0 {
				entry.ID = generatedID(tenant, text)
			}
			select {
			case out <- importLine{number, entry, err, end}:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if readErr == io.EOF {
			return nil
		}
		if readErr != nil {
			return fmt.Errorf("line %d: %w", number, readErr)
		}
	}
}

// lineIndex has the lines of the customers that the file names by number or by id.
type lineIndex struct {
	numbers map[int32]int
	ids     map[string]int
}

// add returns a fault when an earlier line has the same customer: the later one would overwrite it.
func (x lineIndex) add(line int, entry customer.Upsert) error {
	if first := x.numbers[entry.Number]; first > 0 && entry.Number != 0 {
		return fault.New(fault.Conflict, "number %d is already on line %d", entry.Number, first)
	}
	if first := x.ids[entry.ID]; first > 0 && entry.ID != "" {
		return fault.New(fault.Conflict, "id %s is already on line %d", entry.ID, first)
	}
	x.numbers[entry.Number], x.ids[entry.ID] = line, line
	return nil
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

func parseLine(line []byte) (customer.Upsert, error) {
	if len(line) > maxLine {
		return customer.Upsert{}, fault.New(fault.TooLarge, "is longer than %d bytes", maxLine)
	}
	return native.ParseUpsert(line)
}

// generatedID returns the id of a customer that only the text of its line identifies.
func generatedID(tenant string, line []byte) string {
	return uuid.NewSHA1(uuid.NewSHA1(uuid.NameSpaceURL, []byte("kartotek:"+tenant)), line).String()
}

// put writes the batch and reports its rejected lines.
func (i *importer) put(ctx context.Context, batch []importLine) error {
	var entries []customer.Upsert
	for _, line := range batch {
		if line.err == nil {
			entries = append(entries, line.entry)
		}
	}
	began := time.Now()
	results, err := i.customers.Upsert(ctx, i.actor, entries)
	if err != nil {
		return fmt.Errorf("stopped before line %d; run the command again to continue: %w", batch[0].number, err)
	}
	switch took := time.Since(began); {
	case took < fastBatch:
		i.batchSize = min(2*i.batchSize, maxBatch)
	case took > slowBatch:
		i.batchSize = max(i.batchSize/2, minBatch)
	}
	for _, line := range batch {
		var result customer.UpsertResult
		if line.err == nil {
			result, results = results[0], results[1:]
		}
		i.count(line.number, result.Change, cmp.Or(line.err, result.Err))
	}
	time.Sleep(batchPause)
	return nil
}

func (i *importer) count(line int, ch customer.Change, err error) {
	i.lines++
	switch {
	case err != nil:
		i.rejected++
		i.report(line, reasons(err))
	case ch.Empty():
		i.unchanged++
	case ch.Event() == customer.EventCreated:
		i.created++
	default:
		i.updated++
	}
}
