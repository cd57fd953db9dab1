package web

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"

	"github.com/go-json-experiment/json"
)

// BufferedResponse is a complete response that has not been sent yet.
type BufferedResponse struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// Capture returns the response that f writes.
func Capture(f func(w http.ResponseWriter) error) (BufferedResponse, error) {
	buf := responseBuffer{header: http.Header{}}
	if err := f(&buf); err != nil {
		return BufferedResponse{}, err
	}
	if buf.status == 0 {
		buf.status = http.StatusOK
	}
	return BufferedResponse{buf.status, buf.header, buf.body.Bytes()}, nil
}

// WriteTo sends the response. Headers that w already has are kept.
func (b BufferedResponse) WriteTo(w http.ResponseWriter) error {
	maps.Copy(w.Header(), b.Header)
	w.WriteHeader(b.Status)
	_, _ = w.Write(b.Body) // fails only when the client has disconnected
	return nil
}

// Encode returns the response in the form that DecodeResponse reads. Equal responses have equal
// encodings.
func (b BufferedResponse) Encode() ([]byte, error) {
	return json.Marshal(b, json.Deterministic(true))
}

// DecodeResponse decodes what Encode returned.
func DecodeResponse(encoded []byte) (BufferedResponse, error) {
	var b BufferedResponse
	if err := json.Unmarshal(encoded, &b); err != nil {
		return BufferedResponse{}, fmt.Errorf("decode stored response: %w", err)
	}
	if b.Status < 200 || b.Status > 599 {
		return BufferedResponse{}, fmt.Errorf("decode stored response: invalid status %d", b.Status)
	}
	return b, nil
}

type responseBuffer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (b *responseBuffer) Header() http.Header { return b.header }

func (b *responseBuffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *responseBuffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}
