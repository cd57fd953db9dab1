package storetest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"kartotek/internal/access"
	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// linearizabilityTests test the use cases of package customer on the store.
var linearizabilityTests = map[string]func(*testing.T, *suite){
	"CallsAreLinearizable":             callsAreLinearizable,
	"CallsOfTwoServersAreLinearizable": callsOfTwoServersAreLinearizable,
	"KeysPreventRepeatedChanges":       keysPreventRepeatedChanges,
}

func callsAreLinearizable(t *testing.T, s *suite) {
	wantLinearizable(t, service(s, time.Now))
}

func callsOfTwoServersAreLinearizable(t *testing.T, s *suite) {
	wantLinearizable(t, service(s, time.Now), service(s.openAgain(), time.Now))
}

// wantLinearizable has callers of the services read, patch, revert, create and import a few
// customers at the same time, and checks that the calls of each customer are linearizable.
// TEST_HISTORIES is the number of repetitions.
func wantLinearizable(t *testing.T, services ...*customer.Service) {
	const callers, records, each = 6, 3, 20
	histories, err := strconv.Atoi(cmp.Or(os.Getenv("TEST_HISTORIES"), "12"))
	if err != nil {
		t.Fatal(err)
	}
	for history := range int32(histories) {
		ids := make([]string, records)
		for i := range int32(records) {
			ids[i] = id(history*records + i)
		}
		log := calls{start: time.Now(), made: map[string][]porcupine.Operation{}}
		var wg sync.WaitGroup
		for n := range callers {
			wg.Go(func() {
				caller := caller{services[n%len(services)], map[string]int64{}}
				for range each {
					log.record(t, n, caller, caller.draw(ids[rand.IntN(records)]))
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			log.record(t, 0, caller{svc: services[0]}, call{use: "get", id: id})
			if got := porcupine.CheckOperationsTimeout(model, log.made[id], time.Minute); got != porcupine.Ok {
				t.Fatalf("these calls are not linearizable (%s):\n%s", got, formatCalls(log.made[id]))
			}
		}
	}
}

// service returns the use cases on a store. It never generates ids.
func service(s Store, now func() time.Time) *customer.Service {
	return customer.New(s, s, now, func() string { return "none" })
}

func actor(tenant string) access.Actor {
	return access.Actor{Tenant: tenant, ID: actorID, Name: "shop", Customers: access.AllCustomers(), Scopes: access.Scopes(), Contract: "native"}
}

// values are the values of the fields that the calls change.
type values [3]string

var fieldsOf = [len(values{})]struct {
	path string
	in   func(*customer.Customer) *string
}{
	{"firstName", func(c *customer.Customer) *string { return &c.FirstName }},
	{"nationalId", func(c *customer.Customer) *string { return &c.NationalID }},
	{"address.floor", func(c *customer.Customer) *string { return &c.Address.Floor }},
}

// call is one call of a use case.
type call struct {
	use     string
	id      string
	set     customer.Patch // by patch, create and import
	ifMatch int64          // by patch and revert; 0 for none
	version int64          // that revert reverts
}

// String describes the call in error messages.
func (c call) String() string {
	text := c.use
	if c.use == "revert" {
		text += fmt.Sprint(" ", c.version)
	}
	if c.use != "revert" && c.use != "get" {
		text += fmt.Sprintf(" %v", map[string]any(c.set))
	}
	if c.ifMatch != 0 && (c.use == "patch" || c.use == "revert") {
		text += fmt.Sprint(" at version ", c.ifMatch)
	}
	return text
}

// outcome is the result of a call.
type outcome struct {
	fault   fault.Kind
	newer   string // the fields that have changed since the version to revert
	empty   bool   // whether it changed nothing
	version int64
	values  values
}

// apply is the edit of a call that sets fields.
func (c call) apply(r *customer.Customer) error {
	r.LastName = "Lovelace"
	return c.set.Apply(r)
}

// caller makes calls and stores the last version of each customer that it has seen.
type caller struct {
	svc  *customer.Service
	last map[string]int64
}

// draw returns a random call for this customer, often with its current version.
func (c caller) draw(id string) call {
	next := call{id: id, set: customer.Patch{}, use: []string{"get", "patch", "patch", "patch", "revert", "revert", "create", "import"}[rand.IntN(8)]}
	for _, f := range fieldsOf {
		switch rand.IntN(4) {
		case 0:
			next.set[f.path] = nil
		case 1:
			next.set[f.path] = []string{"x", "y"}[rand.IntN(2)]
		}
	}
	if last := c.last[id]; rand.IntN(2) == 0 {
		next.ifMatch = last
	}
	next.version = c.last[id] + rand.Int64N(4) - 2
	return next
}

// make executes the call.
func (c caller) make(ctx context.Context, next call) (outcome, error) {
	by, ref := actor("north"), customer.ByID("north", next.id)
	edit := next.apply
	var ch customer.Change
	var err error
	switch next.use {
	case "get":
		ch.After, err = c.svc.Get(ctx, by, ref)
		ch.Before = ch.After
	case "patch":
		ch, err = c.svc.Update(ctx, by, ref, next.conditional(edit), nil)
	case "revert":
		if edit, err = c.svc.RevertEdit(ctx, by, ref, next.version); err == nil {
			ch, err = c.svc.Update(ctx, by, ref, next.conditional(edit), nil)
		}
	case "create":
		ch, err = c.svc.Create(ctx, by, customer.Upsert{ID: next.id, Edit: edit}, nil)
	case "import":
		var results []customer.UpsertResult
		if results, err = c.svc.Upsert(ctx, by, []customer.Upsert{{ID: next.id, Edit: edit}}); err == nil {
			ch, err = results[0].Change, results[0].Err
		}
	}
	return outcomeOf(ch, err), err
}

func (c call) conditional(edit customer.Edit) customer.Edit {
	if c.ifMatch == 0 {
		return edit
	}
	return customer.Precondition{Versions: []int64{c.ifMatch}}.Edit(edit)
}

func outcomeOf(ch customer.Change, err error) outcome {
	if err != nil {
		f := fault.From(err)
		out := outcome{fault: f.Kind}
		for _, field := range f.Fields {
			if field.Rule == fault.ChangedSince {
				out.newer += field.Path + " "
			}
		}
		return out
	}
	out := outcome{empty: ch.Empty(), version: ch.After.Version}
	for i, f := range fieldsOf {
		out.values[i] = *f.in(&ch.After)
	}
	return out
}

// calls are the calls with their times and results, by customer.
type calls struct {
	start time.Time
	mu    sync.Mutex
	made  map[string][]porcupine.Operation
}

// record executes the call and records it.
func (l *calls) record(t *testing.T, n int, by caller, next call) {
	called := time.Since(l.start)
	out, err := by.make(t.Context(), next)
	returned := time.Since(l.start)
	if out.fault == fault.Internal {
		t.Errorf("%v: %v", next, err)
	}
	if out.version > 0 && by.last != nil {
		by.last[next.id] = out.version
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made[next.id] = append(l.made[next.id], porcupine.Operation{
		ClientId: n, Input: next, Call: int64(called), Output: out, Return: int64(returned),
	})
}

func formatCalls(made []porcupine.Operation) string {
	var lines strings.Builder
	slices.SortFunc(made, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	for _, op := range made {
		fmt.Fprintf(&lines, "%v to %v, caller %d: %v: %+v\n", time.Duration(op.Call), time.Duration(op.Return), op.ClientId, op.Input, op.Output)
	}
	return lines.String()
}

// model is one customer without concurrency.
var model = porcupine.Model{
	Init: func() any { return versions(nil) },
	Step: func(state, input, output any) (bool, any) {
		want, next := state.(versions).call(input.(call))
		return want == output.(outcome), next
	},
	Equal: func(a, b any) bool { return slices.Equal(a.(versions), b.(versions)) },
}

// versions are all versions of a customer; there are none before the creation.
type versions []values

// call returns the expected result of a call, and the versions after it.
func (l versions) call(c call) (outcome, versions) {
	exists := len(l) > 0
	switch c.use {
	case "create":
		if exists {
			return outcome{fault: fault.Conflict}, l
		}
		return versions{}.add(c.patched(values{}))
	case "import":
		if !exists {
			return versions{}.add(c.patched(values{}))
		}
		return l.add(c.patched(l[len(l)-1]))
	}
	if !exists {
		return outcome{fault: fault.NotFound}, l
	}
	next := l[len(l)-1]
	switch c.use {
	case "get":
		return l.add(next)
	case "patch":
		next = c.patched(next)
	case "revert":
		failed := outcome{}
		if next, failed = l.without(c.version); failed != (outcome{}) {
			return failed, l
		}
	}
	if c.ifMatch != 0 && c.ifMatch != int64(len(l)) {
		return outcome{fault: fault.PreconditionFailed}, l
	}
	return l.add(next)
}

func (c call) patched(v values) values {
	for i, f := range fieldsOf {
		if _, ok := c.set[f.path]; ok {
			v[i] = c.set.Text(f.path)
		}
	}
	return v
}

// without returns the newest version with the change to an older version reverted.
func (l versions) without(version int64) (values, outcome) {
	if version < 1 || version > int64(len(l)) {
		return values{}, outcome{fault: fault.NotFound}
	}
	if version == 1 {
		return values{}, outcome{fault: fault.Invalid}
	}
	before, after, now := l[version-2], l[version-1], l[len(l)-1]
	failed := outcome{}
	for i, f := range fieldsOf {
		switch {
		case before[i] == after[i] || now[i] == before[i]:
		case now[i] == after[i]:
			now[i] = before[i]
		default:
			failed.fault, failed.newer = fault.Conflict, failed.newer+f.path+" "
		}
	}
	return now, failed
}

// add adds a version unless it equals the last one.
func (l versions) add(v values) (outcome, versions) {
	if len(l) > 0 && l[len(l)-1] == v {
		return outcome{empty: true, version: int64(len(l)), values: v}, l
	}
	l = append(slices.Clip(l), v)
	return outcome{version: int64(len(l)), values: v}, l
}
