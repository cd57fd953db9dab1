package web

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"

	"github.com/go-json-experiment/json"
)

// BufferedResponse is a whole answer that is not on its way yet.
type BufferedResponse struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// Capture returns what f answers.
func Capture(f func(w http.ResponseWriter) error) (BufferedResponse, error) {
	rec := responseBuffer{header: http.Header{}}
	if err := f(&rec); err != nil {
		return BufferedResponse{}, err
	}
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	return BufferedResponse{rec.status, rec.header, rec.body.Bytes()}, nil
}

// WriteTo sends the response, in addition to the headers that w already has.
func (a BufferedResponse) WriteTo(w http.ResponseWriter) error {
	maps.Copy(w.Header(), a.Header)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // the caller is gone if this fails
	return nil
}

// Encode returns the response in its stored form.
func (a BufferedResponse) Encode() ([]byte, error) { return json.Marshal(a, json.Deterministic(true)) }

// DecodeResponse reads what Bytes wrote.
func DecodeResponse(b []byte) (BufferedResponse, error) {
	var a BufferedResponse
	if err := json.Unmarshal(b, &a); err != nil {
		return BufferedResponse{}, fmt.Errorf("read a kept answer: %w", err)
	}
	if a.Status < 200 || a.Status > 599 { // which nobody may send
		return BufferedResponse{}, fmt.Errorf("read a kept answer: its status is %d", a.Status)
	}
	return a, nil
}

// answerRecorder is an http.ResponseWriter that keeps what it is told.
type responseBuffer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (r *responseBuffer) Header() http.Header { return r.header }

func (r *responseBuffer) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *responseBuffer) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
