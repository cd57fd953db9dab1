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

// responses reads HTTP/1.1 responses from one connection. It is strict, because an invalid
// response must not count as a fast one.
type responses struct {
	r    *bufio.Reader
	body []byte
}

func newResponses(conn io.Reader) *responses {
	return &responses{r: bufio.NewReaderSize(conn, 16<<10)}
}

// statusError is a response with a status other than 2xx.
type statusError struct {
	status int
	body   []byte
}

// shownBody is the length of the body in an error message.
const shownBody = 500

// Error returns the status and the start of the body.
func (e *statusError) Error() string {
	return fmt.Sprintf("response with status %d: %s", e.status, e.body[:min(len(e.body), shownBody)])
}

// read reads one response and returns its body, valid until the next read. It returns a
// statusError for a status other than 2xx, and an error when the connection ends.
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
		err = rs.readBytes(length)
	case status != 204:
		err = errors.New("no length")
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the body of a response with status %d: %w", status, err)
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
		return 0, fmt.Errorf("read a response: %w", err)
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

// Lengths of bodies without a Content-Length.
const (
	chunked       = -1
	unknownLength = -2
)

// header reads the header and the empty line after it.
func (rs *responses) header() (length int, closes bool, err error) {
	length = unknownLength
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
			return 0, false, fmt.Errorf("malformed header line: %.60q", line)
		}
		value = bytes.TrimSpace(value)
		switch {
		case equalFold(name, "Content-Length"):
			n, err := strconv.Atoi(string(value))
			if err != nil || n < 0 || length != unknownLength {
				return 0, false, fmt.Errorf("unexpected Content-Length %.60q", value)
			}
			length = n
		case equalFold(name, "Transfer-Encoding"):
			if !equalFold(value, "chunked") || length != unknownLength {
				return 0, false, fmt.Errorf("unexpected Transfer-Encoding %.60q", value)
			}
			length = chunked
		case equalFold(name, "Connection"):
			closes = equalFold(value, "close")
		}
	}
}

func equalFold(text []byte, word string) bool {
	return len(text) == len(word) && bytes.EqualFold(text, []byte(word))
}

// chunks reads a chunked body and its trailer.
func (rs *responses) chunks() error {
	for {
		line, err := rs.line()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil {
			return fmt.Errorf("malformed size of a chunk: %.60q", line)
		}
		if n == 0 {
			return rs.trailer()
		}
		if err := rs.readBytes(int(n)); err != nil {
			return err
		}
		line, err = rs.line()
		if err != nil {
			return err
		}
		if len(line) > 0 {
			return errors.New("a chunk is longer than its size")
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

// readBytes appends the next n bytes to the body.
func (rs *responses) readBytes(n int) error {
	start := len(rs.body)
	rs.body = slices.Grow(rs.body, n)[:start+n]
	_, err := io.ReadFull(rs.r, rs.body[start:])
	return unexpectedEOF(err)
}

// line reads a line and returns it without its CRLF, valid until the next read.
func (rs *responses) line() ([]byte, error) {
	line, err := rs.r.ReadSlice('\n')
	if err != nil {
		return nil, unexpectedEOF(err)
	}
	line, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok {
		return nil, fmt.Errorf("a line without CRLF: %.60q", line)
	}
	return line, nil
}

// unexpectedEOF converts io.EOF, because the connection must not end in a response.
func unexpectedEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
