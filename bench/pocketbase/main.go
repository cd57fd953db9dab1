// Pocketbase is a PocketBase with customers: what a team would put up that needs
// a customer-record server this week. It is the framework as its authors ship it,
// with its own API, token, rules, validation and request log, and it is started
// the way its "serve" command does.
//
// With -durability shipped it has the pragmas of core.DefaultDBConnect, which are
// journal_mode WAL, synchronous NORMAL, busy_timeout 10000, cache_size 32 MB,
// journal_size_limit 200 MB, foreign_keys ON and temp_store MEMORY: an answered
// PATCH is safe from the death of the process, and may be lost with the power. It
// keeps no history.
//
// With -durability full it does what Kartotek does: synchronous is FULL, so that
// an answered PATCH is on the disk, and the transaction of the update also writes
// who changed what to an audit table, and an event to an outbox. Its request log,
// which is a file of its own, stays as it ships.
//
// PocketBase knows no If-Match. What the audit says was there before is what the
// request has read, which another may have changed since.
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

	"kartotek/bench/peer"
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

// connectFull is core.DefaultDBConnect but for synchronous, which it changes for
// the data alone and not for the request log.
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

// serve is PocketBase's own command, with a listener that tells its port and
// without the page that greets a first user.
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
		return peer.Ready{
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

// terminate stops the app as PocketBase does at a signal: it finishes requests,
// writes the rest of the request log and closes the files.
func terminate(app core.App) error {
	return app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(e *core.TerminateEvent) error {
		return e.App.ResetBootstrapState()
	})
}

// changedBy carries the actor from the request to the transaction, as a part of
// the record that no table has.
const changedBy = "changed_by"

// keepTrail makes every change of a customer leave a row in audit and one in
// outbox, in the transaction that changes the customer. That begins only when
// the request is checked, since all of them share one connection that writes.
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
		"who":      record.GetString(changedBy),
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

// changed is the fields that the request changes, as JSON objects.
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
		who      TEXT    NOT NULL,
		at       INTEGER NOT NULL,
		before   TEXT    NOT NULL,
		after    TEXT    NOT NULL
	) STRICT;
	CREATE TABLE IF NOT EXISTS outbox (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		customer TEXT NOT NULL,
		event    TEXT NOT NULL
	) STRICT;`
