package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestRetryAfterKillAppliesChangeOnce kills the server under PATCHes with idempotency keys. The
// clients retry requests without a response, and some with one, on the next server. Each change
// must be applied once, and each retry must get the first response.
func TestRetryAfterKillAppliesChangeOnce(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, at location) {
		importForLoad(t, at)
		key := runCommand(t, "", "key", "create", at.flag, "--tenant", "t", "--name", "load", "--scope", "customers:write")
		senders := make([]*sender, crashWriters)
		for n := range senders {
			client := http.Client{Transport: &http.Transport{}} // a separate connection
			senders[n] = &sender{n: n, key: strings.TrimSpace(key), client: client, responses: map[int]string{}}
		}
		for range crashRounds {
			sendUntilKilled(t, at.flag, senders, 700*time.Millisecond, func(s *sender, url string) { s.send(t, url) })
		}
		sendUntilKilled(t, at.flag, senders, 0, func(s *sender, url string) { s.resendAll(t, url) })
		checkStore(t, at, appliedBy(t, senders))
	})
}

// appliedBy returns the phones whose change was acknowledged.
func appliedBy(t *testing.T, senders []*sender) map[string]int {
	t.Helper()
	applied := map[string]int{}
	unanswered, replayed := 0, 0
	for _, s := range senders {
		unanswered, replayed = unanswered+s.unanswered, replayed+s.replayed
		for n := range s.responses {
			applied[s.phone(n)] = s.customer(n)
		}
	}
	t.Logf("%d PATCHes were applied; %d got no response, and %d of these were applied", len(applied), unanswered, replayed)
	if len(applied) == 0 || unanswered == 0 {
		t.Error("the server was not killed under load")
	}
	return applied
}

// sendUntilKilled runs all senders against a server and kills it after this time. 0 means after
// the senders are done.
func sendUntilKilled(t *testing.T, store string, senders []*sender, after time.Duration, run func(*sender, string)) {
	t.Helper()
	url, kill := startServer(t, store)
	var running sync.WaitGroup
	for _, s := range senders {
		running.Go(func() { run(s, url) })
	}
	if after == 0 {
		running.Wait()
	}
	time.Sleep(after)
	kill()
	running.Wait()
	for _, s := range senders {
		s.client.CloseIdleConnections()
	}
}

// sender sends PATCHes one by one. No other sender uses its phone numbers.
type sender struct {
	n      int
	key    string
	client http.Client

	next       int            // the PATCH without a response
	sent       bool           // whether it was sent already
	responses  map[int]string // to the PATCHes before it
	unanswered int            // PATCHes whose first attempt got no response
	replayed   int            // those of them that were applied nevertheless
}

func (s *sender) phone(n int) string { return fmt.Sprintf("1%02d%06d", s.n, n) }
func (s *sender) customer(n int) int { return 1 + (s.n+n)%crashCustomers }

// send sends until the server is killed, and retries an old PATCH now and then.
func (s *sender) send(t *testing.T, url string) {
	for s.sendNext(t, url) {
		if s.next%8 == 0 && !s.resend(t, url, s.next/2) {
			return
		}
	}
}

// sendNext reports whether it got a response.
func (s *sender) sendNext(t *testing.T, url string) bool {
	response, replayed, ok := s.patch(t, url, s.next)
	if !ok {
		if !s.sent {
			s.unanswered++
		}
		s.sent = true
		return false
	}
	if replayed {
		s.replayed++
		if !s.sent {
			t.Errorf("the first PATCH with key %d of sender %d got a replayed response", s.next, s.n)
		}
	}
	s.responses[s.next] = response
	s.next, s.sent = s.next+1, false
	return true
}

// resend checks that a retry gets the first response.
func (s *sender) resend(t *testing.T, url string, n int) bool {
	response, replayed, ok := s.patch(t, url, n)
	if ok && (!replayed || response != s.responses[n]) {
		t.Errorf("retry of PATCH %d of sender %d: got %s, replayed %v, want %s", n, s.n, response, replayed, s.responses[n])
	}
	return ok
}

// resendAll retries the PATCH without a response and then all others.
func (s *sender) resendAll(t *testing.T, url string) {
	s.sendNext(t, url)
	for n := range s.next {
		s.resend(t, url, n)
	}
}

// patch returns the response without the headers that differ in a retry. ok is false when
// there was no response.
func (s *sender) patch(t *testing.T, url string, n int) (response string, replayed, ok bool) {
	body := `{"firstName":"A","lastName":"N","locale":"nl_BE","emailAddress":"a@example.com","gender":"female","country":"BE",` +
		`"phoneNumber":"` + s.phone(n) + `"}`
	target := fmt.Sprintf("%s/public/v1/customer/customer-%s", url, crashID(s.customer(n)))
	req, err := http.NewRequest(http.MethodPatch, target, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return "", false, false
	}
	req.Header.Set("Authorization", s.key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Prefer", "return=representation")
	req.Header.Set("Idempotency-Key", fmt.Sprintf("%d-%d", s.n, n))
	resp, err := s.client.Do(req)
	if err != nil {
		return "", false, false
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", false, false
	}
	if resp.StatusCode != http.StatusOK {
		t.Errorf("PATCH %d of sender %d: got %s %s", n, s.n, resp.Status, got)
	}
	replayed = resp.Header.Get("Idempotency-Replayed") == "true"
	for _, own := range []string{"Date", "X-Request-Id", "Idempotency-Replayed"} {
		resp.Header.Del(own)
	}
	return fmt.Sprint(resp.Status, resp.Header, string(got)), replayed, true
}
