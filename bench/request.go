package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
)

// requests generates the requests of one connection, in one buffer.
type requests struct {
	customers int
	random    *rand.Rand
	buffer    []byte

	// A request consists of these pieces, with the customer's number between the first two, and
	// in a body the phone and the address line between the others.
	pieces [4]string
	width  int // digits of the number

	paths []string // if not empty, GETs of these instead
	tail  string   // text after a path
}

// newRequests returns requests of one kind to the server. The same seed gives the same requests.
func newRequests(s *server, k requestKind, seed uint64) (*requests, error) {
	r := &requests{customers: s.customers, random: rand.New(rand.NewPCG(seed, 1))}
	head := " HTTP/1.1\r\nHost: " + s.address() + "\r\nAuthorization: " + s.Authorization + "\r\n"
	if len(k.paths) > 0 {
		r.paths, r.tail = k.paths, head+"\r\n"
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
		return nil, fmt.Errorf("a body must have %%s twice: %q", s.Body)
	}
	length := len(body[0]) + len(phone(0)) + len(body[1]) + len(addressLine(0)) + len(body[2])
	r.pieces[1] = fmt.Sprintf("%s%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", after, head, s.Patch, length, body[0])
	r.pieces[2], r.pieces[3] = body[1], body[2]
	return r, nil
}

// splitPath splits a path at its %d or %015d.
func splitPath(path string) (before string, width int, after string, err error) {
	before, rest, found := strings.Cut(path, "%")
	digits, after, ends := strings.Cut(rest, "d")
	if !found || !ends {
		return "", 0, "", fmt.Errorf("a path must have %%d: %q", path)
	}
	if digits != "" {
		width, err = strconv.Atoi(digits)
	}
	if err != nil || digits != "" && digits[0] != '0' {
		return "", 0, "", fmt.Errorf("a path must have %%d: %q", path)
	}
	return before, width, after, nil
}

// next returns the next request, valid until the next call.
func (r *requests) next() []byte {
	b := r.buffer[:0]
	if len(r.paths) > 0 {
		b = append(b, "GET "...)
		b = append(b, r.paths[r.random.IntN(len(r.paths))]...)
		b = append(b, r.tail...)
	} else {
		b = append(b, r.pieces[0]...)
		b = appendPadded(b, 1+r.random.IntN(r.customers), r.width)
		b = append(b, r.pieces[1]...)
		if r.pieces[2] != "" {
			b = appendPhone(b, r.random.IntN(phones))
			b = append(b, r.pieces[2]...)
			b = appendAddressLine(b, r.random.IntN(addressLines))
			b = append(b, r.pieces[3]...)
		}
	}
	r.buffer = b
	return b
}

// The numbers of different phones and address lines: enough for almost every PATCH to change
// the record.
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

// appendPadded appends n with leading zeros up to the width.
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
