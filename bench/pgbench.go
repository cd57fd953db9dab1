package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// statement is a statement that Kartotek sent, with its parameters.
type statement struct {
	sql    string
	values map[string]string // SQL literals by parameter: $1
}

// capture returns the statement that Kartotek sends for a PATCH, from PostgreSQL's log.
func (c *cluster) capture(ctx context.Context, log string) (statement, error) {
	if err := c.Execute(ctx, kartotekDatabase, "ALTER DATABASE "+kartotekDatabase+" SET log_statement = 'all'"); err != nil {
		return statement{}, err
	}
	srv, err := c.kartotek.start(ctx, nil, log)
	if err != nil {
		return statement{}, err
	}
	_, err = srv.request(ctx, requestKind{method: patch})
	srv.stop()
	if err != nil {
		return statement{}, err
	}
	if err := c.Execute(ctx, kartotekDatabase, "ALTER DATABASE "+kartotekDatabase+" RESET log_statement"); err != nil {
		return statement{}, err
	}
	text, err := c.Log()
	if err != nil {
		return statement{}, err
	}
	return findUpdate(string(text))
}

var (
	// A continuation line in the log starts with a tab; the parameters follow.
	executedStatement = regexp.MustCompile(`execute [^:\n]*:(.*(?:\n\t.*)*)\n[^\t].*DETAIL:  parameters: (.*)`)
	parameter         = regexp.MustCompile(`(\$\d+) = (NULL|'(?:[^']|'')*')`)
)

// findUpdate returns the last statement in a log that updates a customer.
func findUpdate(log string) (st statement, err error) {
	for _, found := range executedStatement.FindAllStringSubmatch(log, -1) {
		if !strings.Contains(found[1], "UPDATE customers") {
			continue
		}
		st = statement{sql: strings.Join(strings.Fields(found[1]), " "), values: map[string]string{}}
		for _, p := range parameter.FindAllStringSubmatch(found[2], -1) {
			st.values[p[1]] = p[2]
		}
	}
	if st.sql == "" {
		return statement{}, errors.New("no statement in the log updates a customer")
	}
	return st, nil
}

// script is the input of pgbench.
type script struct {
	text      string
	variables []string // as command-line arguments
}

var (
	setList     = regexp.MustCompile(`SET \(([^)]*)\) = \(([^)]*)\)`)
	assignment  = regexp.MustCompile(`(\w+) = (?:coalesce\()?(\$\d+)`)
	phoneInsert = regexp.MustCompile(`INSERT INTO phones \(tenant, id, digits\) SELECT tenant, id, (\$\d+)`)
	reference   = regexp.MustCompile(`\$\d+`)
)

// script returns a script that runs the statement for random customers. It replaces the
// parameters that differ between changes: the customer's own values and the new values.
func (st statement) script(customers int) (script, error) {
	replacements := map[string]string{}
	set, digits := setList.FindStringSubmatch(st.sql), phoneInsert.FindStringSubmatch(st.sql)
	if set == nil || digits == nil {
		return script{}, fmt.Errorf("the statement sets no columns or no phones: %s", st.sql)
	}
	replacements[digits[1]] = "(' ' || :digits::text || ' ' || :mobile::text)"
	values := strings.Split(set[2], ", ")
	for i, column := range strings.Split(set[1], ", ") {
		switch column {
		case "version":
			replacements[values[i]] = "version + 1"
		case "phone":
			replacements[values[i]] = ":phone"
		case "address_line":
			replacements[values[i]] = ":line"
		}
	}
	for _, a := range assignment.FindAllStringSubmatch(st.sql, -1) {
		switch column, value := a[1], a[2]; column {
		case "id":
			replacements[value] = "('" + idPrefix + "' || :id::text)"
		case "version", "xmin":
			replacements[value] = "customers." + column
		case "last_key", "first_key", "keys":
			if st.values[value] != "NULL" {
				return script{}, fmt.Errorf("the statement sets %s, which differs between customers: %s", column, st.sql)
			}
		}
	}
	if len(replacements) != 7 {
		return script{}, fmt.Errorf("found only the parameters %v in %s", replacements, st.sql)
	}
	return st.substitute(replacements, customers), nil
}

// substitute replaces these parameters by the given expressions, and the rest by variables.
func (st statement) substitute(replacements map[string]string, customers int) script {
	variables := map[string]string{}
	sql := reference.ReplaceAllStringFunc(st.sql, func(param string) string {
		value := st.values[param]
		switch replacement, ok := replacements[param]; {
		case ok:
			return replacement
		case value == "NULL":
			return value
		}
		name := "value" + param[1:]
		variables[name] = strings.ReplaceAll(value[1:len(value)-1], "''", "'")
		return ":" + name
	})
	s := script{text: fmt.Sprintf(`\set id random(%d, %d)
\set phone random(1000000000000, 9999999999999)
\set line random(1000000000000, 9999999999999)
\set digits random(4722000000, 4722999999)
\set mobile random(47400000000, 47499999999)
%s;
`, firstID, firstID+customers-1, sql)}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		s.variables = append(s.variables, "-D", name+"="+variables[name])
	}
	return s
}

var (
	ratePattern   = regexp.MustCompile(`tps = ([0-9.]+)`)
	countPattern  = regexp.MustCompile(`actually processed: (\d+)`)
	failedPattern = regexp.MustCompile(`failed transactions: ([1-9]\d*)`)
)

// measurePgbench runs pgbench for this time after a warm-up. pgbench accepts only whole seconds,
// and its time includes connecting.
func measurePgbench(ctx context.Context, program string, args []string, length time.Duration) (figures, error) {
	const warmUp = "100" // changes per connection
	if _, err := runPgbench(ctx, program, append([]string{"-t", warmUp}, args...)); err != nil {
		return figures{}, err
	}
	seconds := max(2, int(math.Ceil(length.Seconds())))
	return runPgbench(ctx, program, append([]string{"-T", strconv.Itoa(seconds)}, args...))
}

func runPgbench(ctx context.Context, program string, args []string) (figures, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	out, stderr, err := runProgram(cmd)
	if err != nil {
		return figures{}, err
	}
	rates, count := ratePattern.FindAllSubmatch(out, -1), countPattern.FindSubmatch(out)
	if len(rates) == 0 || count == nil || failedPattern.Match(out) {
		return figures{}, fmt.Errorf("unexpected output of pgbench: %s%s", out, stderr)
	}
	rate, errRate := strconv.ParseFloat(string(rates[len(rates)-1][1]), 64) // old versions print two; the last excludes the time to connect
	n, errCount := strconv.Atoi(string(count[1]))
	if err := errors.Join(errRate, errCount); err != nil {
		return figures{}, err
	}
	if n == 0 {
		return figures{}, fmt.Errorf("no changes were made: %s", out)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return figures{Rate: rate, CPU: used / time.Duration(n)}, nil
}
