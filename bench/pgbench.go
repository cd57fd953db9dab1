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

// statement is one that Kartotek has sent, with its parameters.
type statement struct {
	sql    string
	values map[string]string // as they are written in SQL, by their names: $1
}

// capture is the statement that Kartotek sends for a PATCH, as PostgreSQL noted it.
func (c *cluster) capture(ctx context.Context, log string) (statement, error) {
	if err := c.Execute(ctx, ofKartotek, "ALTER DATABASE "+ofKartotek+" SET log_statement = 'all'"); err != nil {
		return statement{}, err
	}
	srv, err := c.kartotek.start(ctx, nil, log)
	if err != nil {
		return statement{}, err
	}
	_, err = srv.ask(ctx, kind{method: patch})
	srv.stop()
	if err != nil {
		return statement{}, err
	}
	if err := c.Execute(ctx, ofKartotek, "ALTER DATABASE "+ofKartotek+" RESET log_statement"); err != nil {
		return statement{}, err
	}
	noted, err := c.Log()
	if err != nil {
		return statement{}, err
	}
	return changeIn(string(noted))
}

var (
	// A line of the log that goes on begins with a tab, and the parameters follow.
	executed  = regexp.MustCompile(`execute [^:\n]*:(.*(?:\n\t.*)*)\n[^\t].*DETAIL:  parameters: (.*)`)
	parameter = regexp.MustCompile(`(\$\d+) = (NULL|'(?:[^']|'')*')`)
)

// changeIn is the last statement in a log that changes a customer.
func changeIn(log string) (st statement, err error) {
	for _, found := range executed.FindAllStringSubmatch(log, -1) {
		if !strings.Contains(found[1], "UPDATE customers") {
			continue
		}
		st = statement{sql: strings.Join(strings.Fields(found[1]), " "), values: map[string]string{}}
		for _, p := range parameter.FindAllStringSubmatch(found[2], -1) {
			st.values[p[1]] = p[2]
		}
	}
	if st.sql == "" {
		return statement{}, errors.New("there is no statement that changes a customer")
	}
	return st, nil
}

// script is what pgbench is given.
type script struct {
	text      string
	variables []string // as arguments
}

var (
	setList   = regexp.MustCompile(`SET \(([^)]*)\) = \(([^)]*)\)`)
	assigned  = regexp.MustCompile(`(\w+) = (?:coalesce\()?(\$\d+)`)
	called    = regexp.MustCompile(`INSERT INTO phones \(tenant, id, digits\) SELECT tenant, id, (\$\d+)`)
	reference = regexp.MustCompile(`\$\d+`)
)

// script has pgbench run the statement for random customers, with the parameters
// that it had, but for those that differ from change to change: a customer's own,
// and what is new.
func (st statement) script(customers int) (script, error) {
	others := map[string]string{}
	set, digits := setList.FindStringSubmatch(st.sql), called.FindStringSubmatch(st.sql)
	if set == nil || digits == nil {
		return script{}, fmt.Errorf("no columns, or no phones, are set by %s", st.sql)
	}
	others[digits[1]] = "(' ' || :digits::text || ' ' || :mobile::text)"
	values := strings.Split(set[2], ", ")
	for i, column := range strings.Split(set[1], ", ") {
		switch column {
		case "version":
			others[values[i]] = "version + 1"
		case "phone":
			others[values[i]] = ":phone"
		case "address_line":
			others[values[i]] = ":line"
		}
	}
	for _, a := range assigned.FindAllStringSubmatch(st.sql, -1) {
		switch column, value := a[1], a[2]; column {
		case "id":
			others[value] = "('" + idPrefix + "' || :id::text)"
		case "version", "xmin":
			others[value] = "customers." + column
		case "last_key", "first_key", "keys":
			if st.values[value] != "NULL" {
				return script{}, fmt.Errorf("a customer's own %s is set by %s", column, st.sql)
			}
		}
	}
	if len(others) != 7 {
		return script{}, fmt.Errorf("of what differs from change to change only %v is in %s", others, st.sql)
	}
	return st.with(others, customers), nil
}

// with puts the others in the place of their parameters, and variables in that of
// the rest.
func (st statement) with(others map[string]string, customers int) script {
	variables := map[string]string{}
	sql := reference.ReplaceAllStringFunc(st.sql, func(param string) string {
		value := st.values[param]
		switch other, is := others[param]; {
		case is:
			return other
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
	rateTold   = regexp.MustCompile(`tps = ([0-9.]+)`)
	countTold  = regexp.MustCompile(`actually processed: (\d+)`)
	failedTold = regexp.MustCompile(`failed transactions: ([1-9]\d*)`)
)

// drivePgbench runs pgbench for that long after a warm-up. It knows whole seconds
// only, and its time begins before it has connected.
func drivePgbench(ctx context.Context, program string, args []string, length time.Duration) (figures, error) {
	const warmUp = "100" // changes over each connection
	if _, err := runPgbench(ctx, program, append([]string{"-t", warmUp}, args...)); err != nil {
		return figures{}, err
	}
	seconds := max(2, int(math.Ceil(length.Seconds())))
	return runPgbench(ctx, program, append([]string{"-T", strconv.Itoa(seconds)}, args...))
}

func runPgbench(ctx context.Context, program string, args []string) (figures, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	out, said, err := outputOf(cmd)
	if err != nil {
		return figures{}, err
	}
	rates, count := rateTold.FindAllSubmatch(out, -1), countTold.FindSubmatch(out)
	if len(rates) == 0 || count == nil || failedTold.Match(out) {
		return figures{}, fmt.Errorf("pgbench has not done what it should: %s%s", out, said)
	}
	rate, errRate := strconv.ParseFloat(string(rates[len(rates)-1][1]), 64) // older ones tell two, the last without the time to connect
	n, errCount := strconv.Atoi(string(count[1]))
	if err := errors.Join(errRate, errCount); err != nil {
		return figures{}, err
	}
	if n == 0 {
		return figures{}, fmt.Errorf("pgbench has changed nothing: %s", out)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return figures{Rate: rate, CPU: used / time.Duration(n)}, nil
}
