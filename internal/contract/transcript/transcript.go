// Package transcript hides how a recorded conversation is written: it reads the
// exchanges of one, for tests that play it and for documentation that shows it. It
// knows no contract.
//
// A transcript is a text file. "#" starts a comment, "@" an event in the world,
// ">" a line of a request, "<" a line of its answer:
//
//	# null leaves the phone as it is.
//	> PATCH /api/customers/42
//	> Authorization: Basic {kari:sommerregn}
//	> Content-Type: application/json
//	> {"PhoneNumber":null}
//	< 200
//	< ...
//
// A request is its first line, headers, and a body that begins with "{" or "[" or
// after an empty ">" line; an answer has its status in the first line. A comment
// is about the exchanges below it, up to the next one. When it starts with "##",
// the first of them is an example for readers of the documentation.
//
// "{login:password}" in a header stands for its base64. A line of a body that
// starts with "~" is written in Go's quotes, "$writer" is the name of a text that
// nobody should learn by heart: what these stand for is known to those who play
// the transcript.
package transcript

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Exchange is a request and its answer, as they were recorded.
type Exchange struct {
	Comment  string // that is about it, in one line; may be empty
	Example  bool   // whether documentation should rather show it than others
	Request  Request
	Response Response
}

// Request is the part of an exchange that a client sent.
type Request struct {
	Method, Target string
	Header         []Header
	Body           string // as the transcript writes it
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

// Verbatim reports whether the body is what was sent, and no "~" stands for
// something that is too long or too odd to be shown.
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

// ReadAll reads every transcript (*.txt) in files, in the order of their names.
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

// Parse reads the exchanges of one transcript.
func Parse(text string) ([]Exchange, error) {
	var p parser
	for line := range strings.Lines(text) {
		if err := p.readLine(strings.TrimSuffix(line, "\n")); err != nil {
			return nil, err
		}
	}
	err := p.finishExchange()
	return p.exchanges, err
}

// parser gathers the lines of an exchange until another begins.
type parser struct {
	exchanges         []Exchange
	comment           []string
	request, response []string
	inComment         bool // whether the last line was one of a comment
	example           bool // whether the next exchange is one
}

func (p *parser) readLine(line string) error {
	isComment := strings.HasPrefix(line, "#")
	switch {
	case strings.HasPrefix(line, ">"):
		if len(p.response) > 0 {
			if err := p.finishExchange(); err != nil {
				return err
			}
		}
		p.request = append(p.request, strings.TrimPrefix(line[1:], " "))
	case strings.HasPrefix(line, "<"):
		p.response = append(p.response, strings.TrimPrefix(line[1:], " "))
	default:
		if err := p.finishExchange(); err != nil {
			return err
		}
		if isComment && !p.inComment {
			p.comment, p.example = nil, strings.HasPrefix(line, "##")
		}
		if isComment {
			p.comment = append(p.comment, strings.TrimSpace(strings.TrimLeft(line, "#")))
		}
	}
	p.inComment = isComment
	return nil
}

// end keeps the exchange that was gathered, if one was.
func (p *parser) finishExchange() error {
	if len(p.request) == 0 && len(p.response) == 0 {
		return nil
	}
	if len(p.request) == 0 || len(p.response) == 0 {
		return fmt.Errorf("a request and its answer belong together: %q, %q", p.request, p.response)
	}
	status, err := strconv.Atoi(p.response[0])
	if err != nil {
		return fmt.Errorf("%s: the answer has no status: %q", p.request[0], p.response[0])
	}
	e := Exchange{
		Comment:  strings.Join(p.comment, " "),
		Example:  p.example,
		Request:  ParseRequest(p.request),
		Response: Response{Status: status},
	}
	e.Response.Header, e.Response.Body = headerAndBody(p.response[1:])
	p.exchanges = append(p.exchanges, e)
	p.request, p.response, p.example = nil, nil, false
	return nil
}

// ParseRequest reads the lines of one request, without their ">".
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

// encoded is a header's value with its credentials in base64.
func encodeCredentials(value string) string {
	return credentialsPattern.ReplaceAllStringFunc(value, func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(s[1 : len(s)-1]))
	})
}
