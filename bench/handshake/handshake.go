// Package handshake is the message with which a server tells the benchmark that it is ready.
package handshake

import (
	"encoding/json"
	"io"
)

// Ready describes the requests that a server accepts. The server writes it as one line once it
// listens.
type Ready struct {
	URL           string `json:"url"`
	Path          string `json:"path"`          // path of a customer, with a verb for the number
	Authorization string `json:"authorization"` // header of every request
	Patch         string `json:"patch"`         // Content-Type of a PATCH; empty if not supported
	Body          string `json:"body"`          // body of a PATCH, with verbs for the phone and the address line
}

// Announce writes r to out as a line of JSON.
func (r Ready) Announce(out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
