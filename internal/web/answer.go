package web

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"

	"github.com/go-json-experiment/json"
)

// Answer is a whole answer that is not on its way yet.
type Answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// Record returns what f answers.
func Record(f func(w http.ResponseWriter) error) (Answer, error) {
	rec := answerRecorder{header: http.Header{}}
	if err := f(&rec); err != nil {
		return Answer{}, err
	}
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	return Answer{rec.status, rec.header, rec.body.Bytes()}, nil
}

// Send answers with a, beside the headers that w has already.
func (a Answer) Send(w http.ResponseWriter) error {
	maps.Copy(w.Header(), a.Header)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the caller is gone if this fails
	return nil
}

// Bytes is the answer as it is kept.
func (a Answer) Bytes() ([]byte, error) { return json.Marshal(a, json.Deterministic(true)) }

// ParseAnswer reads what Bytes wrote.
func ParseAnswer(b []byte) (Answer, error) {
	var a Answer
	if err := json.Unmarshal(b, &a); err != nil {
		return Answer{}, fmt.Errorf("read a kept answer: %w", err)
	}
	if a.Status < 200 || a.Status > 599 { // which nobody may send
		return Answer{}, fmt.Errorf("read a kept answer: its status is %d", a.Status)
	}
	return a, nil
}

// answerRecorder is an http.ResponseWriter that keeps what it is told.
type answerRecorder struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (r *answerRecorder) Header() http.Header { return r.header }

func (r *answerRecorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *answerRecorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
