// Package transcript parses recorded HTTP exchanges, for tests that replay them and for
// documentation that shows them as examples. It knows no contract.
//
// A transcript is a text file. A line starts with "#" for a comment, "@" for an event, ">" for a
// request and "<" for its response:
//
//	# null leaves the phone as it is.
//	> PATCH /api/customers/42
//	> Authorization: Basic {kari:sommerregn}
//	> Content-Type: application/json
//	> {"PhoneNumber":null}
//	< 200
//	< ...
//
// A request has a request line, headers, and a body that begins with "{" or "[" or after an empty
// ">" line; a response begins with its status. A comment describes the exchanges below it, up to
// the next comment. If it starts with "##", the documentation shows the first of them as an
// example.
//
// "{login:password}" in a header is replaced by its base64 encoding. The program that replays a
// transcript interprets body lines that start with "~" (Go-quoted text) and variables such as
// "$writer".
package transcript

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Exchange is a recorded request and its response.
type Exchange struct {
	Comment  string // in one line; may be empty
	Example  bool   // whether documentation should rather show it than others
	Request  Request
	Response Response
}

// Request is a recorded request.
type Request struct {
	Method, Target string
	Header         []Header
	Body           string // as written in the transcript
}

// Response is a recorded response, without the headers that every response of the contract
// has.
type Response struct {
	Status int
	Header []Header
	Body   string
}

// Header is one header line.
type Header struct{ Name, Value string }

// MediaType returns the media type in the headers, or "" if it is missing or invalid.
func MediaType(header []Header) string {
	for _, h := range header {
		if h.Name == "Content-Type" {
			name, _, _ := mime.ParseMediaType(h.Value)
			return name
		}
	}
	return ""
}

// Verbatim reports whether the body is the text that was sent, without Go-quoted lines.
func (r Request) Verbatim() bool {
	for line := range strings.SplitSeq(r.Body, "\n") {
		if strings.HasPrefix(line, "~") {
			return false
		}
	}
	return true
}

// Examples returns the exchanges with this status that documentation shows: those marked as
// examples, or else the first.
func Examples(all []Exchange, status int) []Exchange {
	var first, examples []Exchange
	for _, e := range all {
		switch {
		case e.Response.Status != status:
		case e.Example:
			examples = append(examples, e)
		case first == nil:
			first = []Exchange{e}
		}
	}
	if len(examples) > 0 {
		return examples
	}
	return first
}

// ReadAll parses every transcript (*.txt) in files, in the order of their names.
func ReadAll(files fs.FS) (all []Exchange, err error) {
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".txt" {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		exchanges, err := Parse(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, exchanges...)
		return nil
	})
	return all, err
}

// Parse parses one transcript.
func Parse(text string) ([]Exchange, error) {
	var p parser
	for line := range strings.Lines(text) {
		p.readLine(strings.TrimSuffix(line, "\n"))
	}
	p.finishExchange()
	return p.exchanges, p.err
}

// parser collects the lines of an exchange until the next one begins.
type parser struct {
	exchanges         []Exchange
	err               error
	comment           []string
	request, response []string
	inComment         bool // whether the last line was a comment
	example           bool // whether the next exchange is an example
}

func (p *parser) readLine(line string) {
	isComment := strings.HasPrefix(line, "#")
	switch {
	case strings.HasPrefix(line, ">"):
		if len(p.response) > 0 {
			p.finishExchange()
		}
		p.request = append(p.request, strings.TrimPrefix(line[1:], " "))
	case strings.HasPrefix(line, "<"):
		p.response = append(p.response, strings.TrimPrefix(line[1:], " "))
	default:
		p.finishExchange()
		if isComment && !p.inComment {
			p.comment, p.example = nil, strings.HasPrefix(line, "##")
		}
		if isComment {
			p.comment = append(p.comment, strings.TrimSpace(strings.TrimLeft(line, "#")))
		}
	}
	p.inComment = isComment
}

// finishExchange adds the collected exchange, if there is one.
func (p *parser) finishExchange() {
	request, response := p.request, p.response
	p.request, p.response = nil, nil
	if len(request) == 0 && len(response) == 0 {
		return
	}
	if len(request) == 0 || len(response) == 0 {
		p.err = errors.Join(p.err, fmt.Errorf("incomplete exchange: request %q, response %q", request, response))
		return
	}
	status, err := strconv.Atoi(response[0])
	if err != nil {
		p.err = errors.Join(p.err, fmt.Errorf("%s: the response has no status: %q", request[0], response[0]))
		return
	}
	header, body := headerAndBody(response[1:])
	p.exchanges = append(p.exchanges, Exchange{
		Comment:  strings.Join(p.comment, " "),
		Example:  p.example,
		Request:  ParseRequest(request),
		Response: Response{status, header, body},
	})
	p.example = false
}

// ParseRequest parses the lines of one request, without their ">".
func ParseRequest(lines []string) Request {
	var r Request
	r.Method, r.Target, _ = strings.Cut(lines[0], " ")
	r.Header, r.Body = headerAndBody(lines[1:])
	for i, h := range r.Header {
		r.Header[i].Value = encodeCredentials(h.Value)
	}
	return r
}

func headerAndBody(lines []string) (header []Header, body string) {
	for i, line := range lines {
		name, value, isHeader := strings.Cut(line, ": ")
		if !isHeader || strings.HasPrefix(line, "{") || strings.HasPrefix(line, "[") {
			return header, strings.TrimPrefix(strings.Join(lines[i:], "\n"), "\n")
		}
		header = append(header, Header{name, value})
	}
	return header, ""
}

var credentialsPattern = regexp.MustCompile(`\{[^{}]*:[^{}]*\}`)

// encodeCredentials replaces credentials in a header value by their base64 encoding.
func encodeCredentials(value string) string {
	return credentialsPattern.ReplaceAllStringFunc(value, func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(s[1 : len(s)-1]))
	})
}
