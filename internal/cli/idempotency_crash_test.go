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

// TestKillMakesNoChangeTwice kills the server under PATCHes that each have an
// Idempotency-Key. Whoever got no answer does not know whether his change was
// made, and sends it again to the next server, as he does with some that were
// answered. Each must have been made once, and be answered the same for ever.
func TestKillMakesNoChangeTwice(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, at location) {
		fillForLoad(t, at)
		key := runCommand(t, "", "key", "create", at.flag, "--tenant", "t", "--name", "load", "--scope", "customers:write")
		senders := make([]*sender, crashWriters)
		for n := range senders {
			client := http.Client{Transport: &http.Transport{}} // a connection of its own
			senders[n] = &sender{n: n, key: strings.TrimSpace(key), client: client, answers: map[int]string{}}
		}
		for range crashRounds {
			sendUntilKilled(t, at.flag, senders, 700*time.Millisecond, func(s *sender, url string) { s.send(t, url) })
		}
		sendUntilKilled(t, at.flag, senders, 0, func(s *sender, url string) { s.sendAllAgain(t, url) })
		checkStore(t, at, madeBy(t, senders))
	})
}

// madeBy are the phones that the senders have heard of.
func madeBy(t *testing.T, senders []*sender) map[string]int {
	t.Helper()
	made := map[string]int{}
	unsure, replayed := 0, 0
	for _, s := range senders {
		unsure, replayed = unsure+s.unsure, replayed+s.replayed
		for n := range s.answers {
			made[s.phone(n)] = s.customer(n)
		}
	}
	t.Logf("%d PATCHes were made; of %d without an answer, %d had been", len(made), unsure, replayed)
	if len(made) == 0 || unsure == 0 {
		t.Error("the server was not killed under load")
	}
	return made
}

// sendUntilKilled runs all senders against a server that is killed after a while
// or, when that is 0, when they are done.
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

// sender sends one PATCH after the other, with phone numbers of its own.
type sender struct {
	n      int
	key    string
	client http.Client

	next     int            // the PATCH that was not answered yet
	began    bool           // whether it was sent before
	answers  map[int]string // to those before it
	unsure   int            // how many were sent to a server that did not answer
	replayed int            // how many of these had been made
}

func (s *sender) phone(n int) string { return fmt.Sprintf("1%02d%06d", s.n, n) }
func (s *sender) customer(n int) int { return 1 + (s.n+n)%crashCustomers }

// send sends until the server is gone, and now and then an old PATCH.
func (s *sender) send(t *testing.T, url string) {
	for s.sendNext(t, url) {
		if s.next%8 == 0 && !s.sendAgain(t, url, s.next/2) {
			return
		}
	}
}

// sendNext reports whether it was answered.
func (s *sender) sendNext(t *testing.T, url string) bool {
	answer, replayed, ok := s.patch(t, url, s.next)
	if !ok {
		if !s.began {
			s.unsure++
		}
		s.began = true
		return false
	}
	if replayed {
		s.replayed++
		if !s.began {
			t.Errorf("the first PATCH with key %d of sender %d was answered as another", s.next, s.n)
		}
	}
	s.answers[s.next] = answer
	s.next, s.began = s.next+1, false
	return true
}

// sendAgain holds the answer to what it was the first time.
func (s *sender) sendAgain(t *testing.T, url string, n int) bool {
	answer, replayed, ok := s.patch(t, url, n)
	if ok && (!replayed || answer != s.answers[n]) {
		t.Errorf("PATCH %d of sender %d again: got %s, replayed %v, want %s", n, s.n, answer, replayed, s.answers[n])
	}
	return ok
}

// sendAllAgain sends the PATCH that nobody answered, and then all that somebody
// did.
func (s *sender) sendAllAgain(t *testing.T, url string) {
	s.sendNext(t, url)
	for n := range s.next {
		s.sendAgain(t, url, n)
	}
}

// patch returns all of an answer but its time and its request's id; ok is false
// when there was none.
func (s *sender) patch(t *testing.T, url string, n int) (answer string, replayed, ok bool) {
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
