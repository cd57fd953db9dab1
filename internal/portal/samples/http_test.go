//go:build unix

package samples_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var variable = regexp.MustCompile(`\{\{\$processEnv (\w+)\}\}`)

// sendHTTP sends the request of a .http file like an editor's HTTP client: it expands
// variables, encodes Basic credentials and adds the required headers.
func sendHTTP(source string, env map[string]string) (stdout, stderr string, err error) {
	source = variable.ReplaceAllStringFunc(source, func(v string) string { return env[variable.FindStringSubmatch(v)[1]] })
	head, body, _ := strings.Cut(strings.TrimSuffix(source, "\n"), "\n\n")
	lines := strings.Split(head, "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	to, err := url.Parse(target)
	if err != nil {
		return "", "", err
	}
	var message strings.Builder
	fmt.Fprintf(&message, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, to.RequestURI(), to.Host)
	for _, header := range lines[1:] {
		if credentials, ok := strings.CutPrefix(header, "Authorization: Basic "); ok {
			header = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
		}
		message.WriteString(header + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&message, "Content-Length: %d\r\n", len(body))
	}
	message.WriteString("\r\n" + body)
	return exchange(to.Host, message.String())
}

func exchange(host, message string) (stdout, stderr string, err error) {
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return "", "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, message); err != nil {
		return "", "", err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 400 {
		stderr = response.Status
		err = fmt.Errorf("got status %s", response.Status)
	}
	return string(text), stderr, err
}
