package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// responses reads HTTP/1.1 answers off one connection. It understands what a
// server that keeps its connections answers to GET and PATCH, and refuses
// anything else: an answer that it cannot read must not count as a fast one.
type responses struct {
	r    *bufio.Reader
	body []byte
}

func newResponses(conn io.Reader) *responses {
	return &responses{r: bufio.NewReaderSize(conn, 16<<10)}
}

// statusError is an answer that says the request failed.
type statusError struct {
	status int
	body   []byte
}

// shownBody is how much of an answer's body an error shows.
const shownBody = 500

// Error names the status, and the beginning of the body.
func (e *statusError) Error() string {
	return fmt.Sprintf("answered with status %d: %s", e.status, e.body[:min(len(e.body), shownBody)])
}

// read reads one answer to its end, and returns its body, which is valid until the
// next read. A status other than 2xx is a statusError, and a connection that ends
// or is to be closed is an error as well.
func (rs *responses) read() ([]byte, error) {
	rs.body = rs.body[:0]
	status, err := rs.statusLine()
	if err != nil {
		return nil, err
	}
	length, closes, err := rs.header()
	if err != nil {
		return nil, err
	}
	switch {
	case length == chunked:
		err = rs.chunks()
	case length >= 0:
		err = rs.take(length)
	case status != 204:
		err = errors.New("nothing tells its length")
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the body of an answer with status %d: %w", status, err)
	case status < 200 || status > 299:
		return nil, &statusError{status, rs.body}
	case closes:
		return nil, errors.New("the server closes the connection")
	}
	return rs.body, nil
}

func (rs *responses) statusLine() (int, error) {
	line, err := rs.line()
	if err != nil {
		return 0, fmt.Errorf("read an answer: %w", err)
	}
	code, ok := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !ok || len(code) < 3 || len(code) > 3 && code[3] != ' ' {
		return 0, fmt.Errorf("not a status line of HTTP/1.1: %.60q", line)
	}
	status, err := strconv.Atoi(string(code[:3]))
	if err != nil || status < 100 {
		return 0, fmt.Errorf("not a status line of HTTP/1.1: %.60q", line)
	}
	return status, nil
}

// The lengths of bodies that no number of bytes tells.
const (
	chunked = -1
	unknown = -2
)

// header reads the header up to the empty line that ends it.
func (rs *responses) header() (length int, closes bool, err error) {
	length = unknown
	for {
		line, err := rs.line()
		if err != nil {
			return 0, false, fmt.Errorf("read a header: %w", err)
		}
		if len(line) == 0 {
			return length, closes, nil
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return 0, false, fmt.Errorf("not a line of a header: %.60q", line)
		}
		value = bytes.TrimSpace(value)
		switch {
		case is(name, "Content-Length"):
			n, err := strconv.Atoi(string(value))
			if err != nil || n < 0 || length != unknown {
				return 0, false, fmt.Errorf("Content-Length is %.60q", value)
			}
			length = n
		case is(name, "Transfer-Encoding"):
			if !is(value, "chunked") || length != unknown {
				return 0, false, fmt.Errorf("Transfer-Encoding is %.60q", value)
			}
			length = chunked
		case is(name, "Connection"):
			closes = is(value, "close")
		}
	}
}

func is(text []byte, word string) bool {
	return len(text) == len(word) && bytes.EqualFold(text, []byte(word))
}

// chunks reads a chunked body, and the trailer after it.
func (rs *responses) chunks() error {
	for {
		line, err := rs.line()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil {
			return fmt.Errorf("not the size of a chunk: %.60q", line)
		}
		if n == 0 {
			return rs.trailer()
		}
		if err := rs.take(int(n)); err != nil {
			return err
		}
		line, err = rs.line()
		if err != nil {
			return err
		}
		if len(line) > 0 {
			return errors.New("a chunk does not end where it should")
		}
	}
}

func (rs *responses) trailer() error {
	for {
		line, err := rs.line()
		if err != nil || len(line) == 0 {
			return err
		}
	}
}

// take appends the next n bytes to the body.
func (rs *responses) take(n int) error {
	start := len(rs.body)
	rs.body = slices.Grow(rs.body, n)[:start+n]
	_, err := io.ReadFull(rs.r, rs.body[start:])
	return cutOff(err)
}

// line reads a line, which is valid until the next read, without its CRLF.
func (rs *responses) line() ([]byte, error) {
	line, err := rs.r.ReadSlice('\n')
	if err != nil {
		return nil, cutOff(err)
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok {
		return nil, fmt.Errorf("a line that does not end with CRLF: %.60q", line)
	}
	return line, nil
}

// cutOff is err, where the end of the connection is the end of half an answer.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
