package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// changeScript is a pgbench script that updates a random customer in one statement and writes the
// rows that Kartotek writes for a PATCH of a phone and an address line: the customer, the change,
// and the index terms of the phone. The statement locks nothing but the customer, and needs no order
// of commits, so it is an upper bound. (pgbench would replace a name after a colon, hence chr(58).)
const changeScript = `\set number random(1, :customers)
\set digits random(22000000, 22999999)
\set line random(1000, 9999)
WITH old AS (
	SELECT tenant, id, number, version, phone, address_line
	FROM customers
	WHERE tenant = 'bench' AND number = :number
), updated AS (
	UPDATE customers AS c
	SET version = c.version + 1, phone = '+47 ' || :digits, address_line = 'Storgata ' || :line,
		updated_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
	FROM old
	WHERE c.tenant = old.tenant AND c.id = old.id AND c.version = old.version
	RETURNING c.tenant, c.id, c.number, c.version, c.updated_at, c.phone, c.address_line
), removed AS (
	DELETE FROM terms
	USING old
	WHERE terms.tenant = old.tenant AND terms.number = old.number
		AND terms.term = 't' || reverse(regexp_replace(old.phone, '[^0-9]', '', 'g'))
), added AS (
	INSERT INTO terms (tenant, term, number)
	SELECT tenant, 't' || reverse(:digits::text) || '74', number
	FROM updated
	ON CONFLICT DO NOTHING
)
INSERT INTO changes (tenant, seq, customer_id, number, version, event, actor, contract, request_id, at, fields)
SELECT tenant, nextval('pgbench_seq'), id, updated.number, updated.version, 'customer.updated', 'key' || chr(58) || 'Ab3dE6gH', 'native',
	'0198f3c2-7a51-7c3e-9d44-2b6f0e81c5aa', updated_at,
	'{"phone":["' || old.phone || '","' || updated.phone || '"],"address.line":["' || old.address_line || '","' || updated.address_line || '"]}'
FROM updated
JOIN old USING (tenant, id);
`

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
