package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kartotek/bench/handshake"
)

func TestServiceReadsAndUpdatesImportedCustomers(t *testing.T) {
	t.Parallel()
	for _, durability := range []string{shipped, full} {
		t.Run(durability, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := start(t, dir, durability)
			if got := s.patch(t, 2); got != http.StatusOK {
				t.Fatalf("PATCH: got %d, want 200", got)
			}
			status, got := s.do(t, http.MethodGet, 2, "")
			want := map[string]string{
				"id": "000000000000002", "number": "2", "kind": "person", "first_name": "Jan", "last_name": "Maes",
				"birth_date": "1980-01-02", "gender": "male", "locale": "nl-BE", "national_id": "80010200123",
				"email": "jan.2@example.com", "phone": "+32 470000000", "mobile": "+32 471111111",
				"address_line": "Kerkstraat 1", "postal_code": "9000", "city": "Gent", "country": "BE",
			}
			for field, value := range want {
				if fmt.Sprint(got[field]) != value {
					t.Errorf("GET, %s: got %v, want %s", field, got[field], value)
				}
			}
			if status != http.StatusOK {
				t.Errorf("GET: got %d, want 200", status)
			}
			s.ready.Authorization = ""
			if status, _ := s.do(t, http.MethodGet, 2, ""); status != http.StatusNotFound {
				t.Errorf("GET without a token: got %d, want 404", status)
			}
			if got := s.patch(t, 2); got != http.StatusNotFound {
				t.Errorf("PATCH without a token: got %d, want 404", got)
			}
			s.stop(t)
			start(t, dir, durability).stop(t) // a second start does not import
		})
	}
}

// When the row of outbox cannot be written, the rows of audit and customers are rolled back.
func TestUpdateAuditAndOutboxAreOneTransaction(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir, full)
	defer s.stop(t)
	db, err := sql.Open("sqlite", filepath.Join(dir, "data.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	if got := s.patch(t, 3); got != http.StatusOK {
		t.Fatalf("PATCH: got %d, want 200", got)
	}
	const trail = `
		SELECT (SELECT group_concat(email || customer || before || after) FROM audit JOIN services ON services.id = actor) ||
			(SELECT group_concat(sequence || customer || event) FROM outbox)`
	want := `service@example.com000000000000003{"address_line":"Dorpstraat 3","phone":"+32 9123"}` +
		`{"address_line":"Kerkstraat 1","phone":"+32 470000000"}1000000000000003customer.updated`
	if got := query(t, db, trail); got != want {
		t.Errorf("trail: got %s, want %s", got, want)
	}

	if _, err := db.Exec("CREATE TRIGGER fail BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'no'); END"); err != nil {
		t.Fatal(err)
	}
	if got := s.patch(t, 2); got < 400 {
		t.Errorf("PATCH without an outbox: got %d, want a failure", got)
	}
	if got := query(t, db, "SELECT phone || (SELECT count(*) FROM audit) FROM customers WHERE number = 2"); got != "+32 91231" {
		t.Errorf("after a failure: got phone and rows of audit %s, want no change", got)
	}
}

func TestSynchronousIsFullForDataOnly(t *testing.T) {
	t.Parallel()
	for durability, want := range map[string]string{shipped: "1 1", full: "2 1"} { // 1: NORMAL; 2: FULL
		app, err := open(t.TempDir(), durability)
		if err != nil {
			t.Fatal(err)
		}
		var data, log string
		errData := app.NonconcurrentDB().NewQuery("PRAGMA synchronous").Row(&data)
		errLog := app.AuxNonconcurrentDB().NewQuery("PRAGMA synchronous").Row(&log)
		if got := data + " " + log; got != want || errData != nil || errLog != nil {
			t.Errorf("%s: got synchronous %s, %v, %v; want %s", durability, got, errData, errLog, want)
		}
		if err := terminate(app); err != nil {
			t.Error(err)
		}
	}
}

// server is a running instance of the program.
type server struct {
	ready handshake.Ready
	end   context.CancelFunc
	ended chan error
}

func start(t *testing.T, dir, durability string) *server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "customers.ndjson")
	var lines strings.Builder
	for n := 1; n <= 3; n++ {
		fmt.Fprintf(&lines, `{"number":%d,"kind":"person","firstName":"Jan","lastName":"Maes","birthDate":"1980-01-02",`+
			`"gender":"male","locale":"nl-BE","nationalId":"80010200123","email":"jan.%d@example.com","phone":"+32 9123",`+
			`"mobile":"+32 471111111","address":{"line":"Dorpstraat %d","postalCode":"9000","city":"Gent","country":"BE"}}`+"\n", n, n, n)
	}
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	t.Cleanup(end)
	s := &server{end: end, ended: make(chan error, 1)}
	in, out := io.Pipe()
	go func() {
		err := run(ctx, options{dir, file, durability, "127.0.0.1:0"}, out)
		out.CloseWithError(err)
		s.ended <- err
	}()
	line, err := bufio.NewReader(in).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line, &s.ready); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	s.end()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

func (s *server) patch(t *testing.T, number int) int {
	t.Helper()
	status, _ := s.do(t, http.MethodPatch, number, fmt.Sprintf(s.ready.Body, "+32 470000000", "Kerkstraat 1"))
	return status
}

func (s *server) do(t *testing.T, method string, number int, body string) (int, map[string]any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // a nested transaction would block forever
	defer cancel()
	url := s.ready.URL + fmt.Sprintf(s.ready.Path, number)
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", s.ready.Authorization)
	req.Header.Set("Content-Type", s.ready.Patch)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got map[string]any
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, got
}

func query(t *testing.T, db *sql.DB, text string) (got string) {
	t.Helper()
	if err := db.QueryRow(text).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}
