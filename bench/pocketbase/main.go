// Pocketbase is a PocketBase server with customers: what a team could set up in a week instead of
// Kartotek. It uses PocketBase's own API, tokens, rules, validation and request log, and starts
// like its "serve" command.
//
// With -durability shipped, it has the pragmas of core.DefaultDBConnect: journal_mode WAL,
// synchronous NORMAL, busy_timeout 10000, cache_size 32 MB, journal_size_limit 200 MB,
// foreign_keys ON and temp_store MEMORY. An acknowledged PATCH survives a crash of the process
// but not a power failure. There is no history.
//
// With -durability full, it does what Kartotek does: synchronous is FULL, and the transaction of
// an update also writes the actor and the change to an audit table, and an event to an outbox.
// The request log is a separate file with its shipped settings.
//
// PocketBase does not support If-Match. The "before" values of the audit are those that the
// request read, and a concurrent request may have changed them since.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"

	"kartotek/bench/handshake"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flag.StringVar(&o.dir, "dir", "pb_data", "`directory` of the data")
	flag.StringVar(&o.customers, "customers", "", "NDJSON `file` to import when the directory is empty")
	flag.StringVar(&o.durability, "durability", shipped, "shipped, or full: synchronous FULL, audit and outbox")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` to listen on")
	flag.Parse()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pocketbase:", err)
		os.Exit(1)
	}
}

type options struct {
	dir, customers, durability, listen string
}

// The durabilities.
const (
	shipped = "shipped"
	full    = "full"
)

// run serves customers until ctx is done.
func run(ctx context.Context, o options, out io.Writer) error {
	app, err := open(o.dir, o.durability)
	if err != nil {
		return err
	}
	service, err := setUp(app, o.customers)
	if err != nil {
		return errors.Join(err, terminate(app))
	}
	token, err := service.NewAuthToken()
	if err != nil {
		return errors.Join(err, terminate(app))
	}
	return serve(ctx, app, o.listen, token, out)
}

// open starts the app on a directory, without its server.
func open(dir, durability string) (core.App, error) {
	config := core.BaseAppConfig{DataDir: dir}
	switch durability {
	case shipped:
	case full:
		config.DBConnect = connectFull
	default:
		return nil, fmt.Errorf("unknown durability %q", durability)
	}
	app := core.NewBaseApp(config)
	if err := app.Bootstrap(); err != nil {
		return nil, err
	}
	if durability == full {
		if err := keepTrail(app); err != nil {
			return nil, errors.Join(err, terminate(app))
		}
	}
	return app, nil
}

// connectFull is core.DefaultDBConnect with synchronous FULL for the data, but not for the
// request log.
func connectFull(path string) (*dbx.DB, error) {
	if filepath.Base(path) != "data.db" {
		return core.DefaultDBConnect(path)
	}
	return dbx.Open("sqlite", path+"?"+strings.Join([]string{
		"_pragma=busy_timeout(10000)", // first, because journal_mode may have to wait
		"_pragma=journal_mode(WAL)",
		"_pragma=journal_size_limit(200000000)",
		"_pragma=synchronous(FULL)",
		"_pragma=foreign_keys(ON)",
		"_pragma=temp_store(MEMORY)",
		"_pragma=cache_size(-32000)",
	}, "&"))
}

// serve is PocketBase's own command, with a listener that announces its port and without the
// page for the first user.
func serve(ctx context.Context, app core.App, listen, token string, out io.Writer) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return errors.Join(err, terminate(app))
	}
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Listener, e.InstallerFunc = listener, nil
		if err := e.Next(); err != nil {
			return err
		}
		return handshake.Ready{
			URL:           "http://" + listener.Addr().String(),
			Path:          "/api/collections/customers/records/" + idFormat,
			Authorization: token,
			Patch:         "application/json",
			Body:          `{"phone":"%s","address_line":"%s"}`,
		}.Announce(out)
	})
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stopped <- terminate(app)
	}()
	if err := apis.Serve(app, apis.ServeConfig{HttpAddr: listen}); err != nil {
		return err
	}
	return <-stopped
}

// terminate stops the app as PocketBase does on a signal: it finishes requests, writes the rest
// of the request log and closes the files.
func terminate(app core.App) error {
	return app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(e *core.TerminateEvent) error {
		return e.App.ResetBootstrapState()
	})
}

// changedBy passes the actor from the request to the transaction, as a field of the record
// without a column.
const changedBy = "changed_by"

// keepTrail adds a row to audit and to outbox in the transaction of every update. The transaction
// starts after the request is validated, because all requests share one writing connection.
func keepTrail(app core.App) error {
	if _, err := app.DB().NewQuery(createTrail).Execute(); err != nil {
		return fmt.Errorf("create audit and outbox: %w", err)
	}
	app.OnRecordUpdateRequest("customers").BindFunc(func(e *core.RecordRequestEvent) error {
		e.Record.Set(changedBy, e.Auth.Id)
		return e.Next()
	})
	app.OnRecordUpdateExecute("customers").BindFunc(func(e *core.RecordEvent) error {
		outside := e.App
		defer func() { e.App = outside }()
		return outside.RunInTransaction(func(tx core.App) error {
			e.App = tx
			if err := e.Next(); err != nil {
				return err
			}
			return writeTrail(tx, e.Record)
		})
	})
	return nil
}

func writeTrail(tx core.App, record *core.Record) error {
	before, after, err := changed(record)
	if err != nil {
		return fmt.Errorf("encode audit: %w", err)
	}
	_, err = tx.DB().Insert("audit", dbx.Params{
		"customer": record.Id,
		"actor":    record.GetString(changedBy),
		"at":       time.Now().UnixMicro(),
		"before":   string(before),
		"after":    string(after),
	}).Execute()
	if err != nil {
		return fmt.Errorf("add audit: %w", err)
	}
	_, err = tx.DB().Insert("outbox", dbx.Params{"customer": record.Id, "event": "customer.updated"}).Execute()
	if err != nil {
		return fmt.Errorf("add outbox: %w", err)
	}
	return nil
}

// changed returns the changed fields as JSON objects.
func changed(record *core.Record) (before, after []byte, err error) {
	was, is := map[string]any{}, map[string]any{}
	original := record.Original()
	for _, field := range record.Collection().Fields {
		name := field.GetName()
		if old, now := original.GetRaw(name), record.GetRaw(name); old != now {
			was[name], is[name] = old, now
		}
	}
	before, errBefore := json.Marshal(was)
	after, errAfter := json.Marshal(is)
	return before, after, errors.Join(errBefore, errAfter)
}

const createTrail = `
	CREATE TABLE IF NOT EXISTS audit (
		id       INTEGER PRIMARY KEY,
		customer TEXT    NOT NULL,
		actor    TEXT    NOT NULL,
		at       INTEGER NOT NULL,
		before   TEXT    NOT NULL,
		after    TEXT    NOT NULL
	) STRICT;
	CREATE TABLE IF NOT EXISTS outbox (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		customer TEXT NOT NULL,
		event    TEXT NOT NULL
	) STRICT;`
