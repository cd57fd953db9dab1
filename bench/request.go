package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
)

// requests makes the requests of one connection, one after another in the same
// bytes: only what differs from the one before is written.
type requests struct {
	customers int
	dice      *rand.Rand
	bytes     []byte

	// A request about a customer is these pieces, with the number in number
	// between the first two, and in a body the phone and the address between
	// the others.
	pieces [4]string
	width  int // of the number

	targets []string // in place of all that: a GET of any of these
	tail    string   // what follows a target
}

// newRequests returns the requests of one kind to the server. Two with the same
// seed are the same.
func newRequests(s *server, k kind, seed uint64) (*requests, error) {
	r := &requests{customers: s.customers, dice: rand.New(rand.NewPCG(seed, 1))}
	head := " HTTP/1.1\r\nHost: " + s.address() + "\r\nAuthorization: " + s.Authorization + "\r\n"
	if len(k.targets) > 0 {
		r.targets, r.tail = k.targets, head+"\r\n"
		return r, nil
	}
	before, width, after, err := splitPath(s.Path)
	if err != nil {
		return nil, err
	}
	r.width = width
	r.pieces[0] = k.method + " " + before
	r.pieces[1] = after + head + "\r\n"
	if k.method != http.MethodPatch {
		return r, nil
	}
	body := strings.SplitN(s.Body, "%s", 3)
	if len(body) != 3 {
		return nil, fmt.Errorf("the form of a body has to have %%s twice: %q", s.Body)
	}
	length := len(body[0]) + len(phone(0)) + len(body[1]) + len(addressLine(0)) + len(body[2])
	r.pieces[1] = fmt.Sprintf("%s%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", after, head, s.Patch, length, body[0])
	r.pieces[2], r.pieces[3] = body[1], body[2]
	return r, nil
}

// splitPath splits a path that has %d, or %015d, where the customer's number
// stands.
func splitPath(path string) (before string, width int, after string, err error) {
	before, rest, found := strings.Cut(path, "%")
	digits, after, ends := strings.Cut(rest, "d")
	if !found || !ends {
		return "", 0, "", fmt.Errorf("a path has to have %%d: %q", path)
	}
	if digits != "" {
		width, err = strconv.Atoi(digits)
	}
	if err != nil || digits != "" && digits[0] != '0' {
		return "", 0, "", fmt.Errorf("a path has to have %%d: %q", path)
	}
	return before, width, after, nil
}

// next is the next request, valid until the one after it.
func (r *requests) next() []byte {
	b := r.bytes[:0]
	if len(r.targets) > 0 {
		b = append(b, "GET "...)
		b = append(b, r.targets[r.dice.IntN(len(r.targets))]...)
		b = append(b, r.tail...)
	} else {
		b = append(b, r.pieces[0]...)
		b = appendPadded(b, 1+r.dice.IntN(r.customers), r.width)
		b = append(b, r.pieces[1]...)
		if r.pieces[2] != "" {
			b = appendPhone(b, r.dice.IntN(phones))
			b = append(b, r.pieces[2]...)
			b = appendAddressLine(b, r.dice.IntN(addressLines))
			b = append(b, r.pieces[3]...)
		}
	}
	r.bytes = b
	return b
}

// How many phones and address lines there are: enough that a change does change
// something.
const (
	phones       = 1_000_000
	addressLines = 10_000
)

func phone(n int) string { return string(appendPhone(nil, n)) }

// appendPhone appends a phone in Oslo, such as +47 2233 4455.
func appendPhone(b []byte, n int) []byte {
	b = append(b, "+47 22"...)
	b = appendPadded(b, n/10_000, 2)
	b = append(b, ' ')
	return appendPadded(b, n%10_000, 4)
}

func addressLine(n int) string { return string(appendAddressLine(nil, n)) }

func appendAddressLine(b []byte, n int) []byte {
	b = append(b, "Storgata "...)
	return appendPadded(b, n, 4)
}

// appendPadded appends n with zeros in front, up to the width.
func appendPadded(b []byte, n, width int) []byte {
	digits := 1
	for rest := n; rest >= 10; rest /= 10 {
		digits++
	}
	for ; digits < width; digits++ {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, int64(n), 10)
}
