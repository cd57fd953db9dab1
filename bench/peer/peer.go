// Package peer is what a server that is measured tells the program that measures
// it. It knows neither of them.
package peer

import (
	"encoding/json"
	"io"
)

// Ready is how to reach a server, and how to ask it for a customer. A server
// writes it once it listens, as the only line of its output.
type Ready struct {
	URL           string `json:"url"`
	Path          string `json:"path"`          // of a customer; a format for the number
	Authorization string `json:"authorization"` // the header of every request
	Patch         string `json:"patch"`         // the Content-Type of a PATCH; empty for a server that takes none
	Body          string `json:"body"`          // of a PATCH; a format for the phone and the address line
}

// Announce writes r to out as a line of JSON.
func (r Ready) Announce(out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
