package native

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// patch is a parsed PATCH in either format.
type patch struct {
	edit  customer.Edit
	sent  []string // JSON Pointers to the properties in the request
	reads bool     // whether the result depends on stored values: "test", "copy" and "move"
}

// recordReader gives a patch the record as GET shows it, if the caller may read it.
type recordReader struct {
	allowed bool
	record  func(customer.Customer) *record
}

// mergePatch is a parsed JSON merge patch (RFC 7396).
type mergePatch struct {
	fields   customer.Patch
	readOnly map[string]any // the values of read-only properties, by path
	errs     fault.Validator
	sent     []string
}

func newMergePatch(object map[string]any) mergePatch {
	m := mergePatch{fields: customer.Patch{}, readOnly: map[string]any{}}
	m.addObject(object, "", properties)
	return m
}

func (m *mergePatch) addObject(object map[string]any, at jsontext.Pointer, list []property) {
	for _, p := range list {
		if v, ok := object[p.name]; ok {
			m.add(p, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		m.errs.Require(find(list, name) != nil, string(at.AppendToken(name)), fault.Unknown, "unknown field")
	}
}

func (m *mergePatch) add(p property, v any) {
	object, isObject := v.(map[string]any)
	switch {
	case p.parts != nil && isObject:
		m.addObject(object, jsontext.Pointer(pointerTo(p.path)), p.parts)
		return
	case p.parts != nil && v != nil:
		m.errs.Require(false, p.path, fault.Type, "must be an object or null")
	case p.parts != nil:
		for _, part := range p.parts {
			m.fields[part.path] = nil
		}
	case p.readOnly:
		m.readOnly[p.path] = v
	default:
		m.set(p, v)
	}
	m.sent = append(m.sent, pointerTo(p.path))
}

// set sets a field to a JSON value. Null and empty text clear it.
func (m *mergePatch) set(p property, v any) {
	var broken fault.Field
	isText := p.field.Type == customer.TypeText
	switch {
	case (v == nil || v == "") && p.required: // an error protects a record from a client that sends null for what it did not set
		broken = fault.Field{Rule: fault.Format, Text: "must not be null or empty; leave it out instead"}
	case v == nil || v == "" && isText:
		v = nil
	case isText:
		if _, ok := v.(string); !ok {
			broken = fault.Field{Rule: fault.Type, Text: "must be a string"}
		}
	case p.field.Type == customer.TypeBool:
		if _, ok := v.(bool); !ok {
			broken = fault.Field{Rule: fault.Type, Text: "must be a boolean"}
		}
	case p.field.Type == customer.TypeInteger:
		v, broken = parseInt32(v, 0)
	}
	if broken.Rule == fault.Type && !p.required {
		broken.Text += " or null"
	}
	m.errs.Require(broken.Rule == "", p.path, broken.Rule, broken.Text)
	m.fields[p.path] = v
	if broken.Rule != "" {
		delete(m.fields, p.path)
	}
}

// parseInt32 returns a JSON number as an integer from low up, or the rule that it breaks.
func parseInt32(v any, low int64) (n int64, broken fault.Field) {
	decimal, isNumber := v.(number)
	n, isInteger := decimal.integer()
	switch {
	case !isNumber || !isInteger:
		return 0, fault.Field{Rule: fault.Type, Text: "must be an integer"}
	case n < low || n > math.MaxInt32:
		return 0, fault.Field{Rule: fault.Range, Text: fmt.Sprintf("must be from %d to 2147483647", low)}
	}
	return n, fault.Field{}
}

// edit returns the patch as an edit, which reports all errors at once.
func (m mergePatch) edit(reader recordReader) customer.Edit {
	return func(c *customer.Customer) error {
		var readOnlyErr error
		if len(m.readOnly) > 0 {
			readOnlyErr = m.checkReadOnly(reader, *c)
		}
		if err := m.fields.Apply(c); err != nil {
			return err
		}
		return fault.Merge(m.errs.Err(), readOnlyErr)
	}
}

// checkReadOnly reports the read-only properties that the patch would change, or all of them when
// the caller may not read.
func (m mergePatch) checkReadOnly(reader recordReader, c customer.Customer) error {
	var errs fault.Validator
	r := reader.record(c)
	for _, p := range properties {
		if sent, ok := m.readOnly[p.path]; ok {
			errs.Require(reader.allowed && sameValue(p.pointer(r), sent), p.path, fault.Immutable, "is read-only; leave it out or send its current value")
		}
	}
	return errs.Err()
}

// sameValue reports whether a JSON value equals the stored one. A time may be in any zone, an id in
// any case.
func sameValue(stored, sent any) bool {
	text, _ := sent.(string)
	switch stored := stored.(type) {
	case *time.Time:
		if at, err := parseTime(text); err == nil {
			return at.Equal(*stored)
		}
	case *string:
		if id, ok := parseID(text); ok {
			return id == *stored
		}
	}
	v, _ := parseJSON(appendValue(nil, stored), "")
	return equal(v, sent)
}

// upsert returns the patch as a new customer. The request may set its id, its number and the time
// of its last confirmation.
func (m *mergePatch) upsert() customer.Upsert {
	var u customer.Upsert
	for path, v := range m.readOnly {
		switch {
		case v == nil && path == "confirmedAt":
			m.fields[path] = nil
		case v == nil:
		case path == "number":
			n, broken := parseInt32(v, 1)
			m.errs.Require(broken.Rule == "", path, broken.Rule, broken.Text)
			u.Number = int32(n)
		case path == "id" || path == "confirmedAt":
			text, ok := v.(string)
			m.errs.Require(ok, path, fault.Type, "must be a string or null")
			if text == "" {
				continue
			}
			if path == "id" {
				u.ID, ok = parseID(text)
				m.errs.Require(ok, path, fault.Format, "must be a UUID (RFC 9562)")
				continue
			}
			at, err := time.Parse(time.RFC3339Nano, text)
			m.errs.Require(err == nil, path, fault.Format, "must be an RFC 3339 time, such as 2026-01-02T12:00:00Z, or null")
			m.fields[path] = at
		default:
			m.errs.Require(false, path, fault.Immutable, "is read-only; leave it out")
		}
	}
	bodyErr := m.errs.Err()
	if bodyErr != nil {
		u.ID, u.Number = "", 0 // so that these errors come before a conflict
	}
	u.Edit = func(c *customer.Customer) error {
		if err := m.fields.Apply(c); err != nil {
			return err
		}
		return bodyErr
	}
	return u
}

// ParseUpsert parses a line of an import: a new customer, or the new values of an existing one. It
// ignores properties that only the server sets.
func ParseUpsert(line []byte) (customer.Upsert, error) {
	object, err := parseObject(line)
	if err != nil {
		return customer.Upsert{}, err
	}
	m := newMergePatch(object)
	for _, path := range []string{"version", "requiresConfirmation", "createdAt", "updatedAt"} {
		delete(m.readOnly, path)
	}
	u := m.upsert()
	return u, m.errs.Err()
}

// parseMergePatch parses a JSON merge patch (RFC 7396).
func parseMergePatch(body []byte, reader recordReader) (patch, error) {
	object, err := parseObject(body)
	if err != nil {
		return patch{}, err
	}
	m := newMergePatch(object)
	return patch{edit: m.edit(reader), sent: m.sent}, nil
}

// parseJSONPatch parses a JSON Patch (RFC 6902). The edit applies it to the representation of the
// record and reads the properties that it names from the result.
func parseJSONPatch(body []byte, reader recordReader) (patch, error) {
	ops, err := parseOperations(body)
	if err != nil {
		return patch{}, err
	}
	named := targets(ops)
	edit := func(c *customer.Customer) error {
		doc, err := parseObject(reader.record(*c).appendObject(nil, properties))
		if err != nil {
			return err
		}
		result, err := applyAll(ops, doc)
		if err != nil {
			return err
		}
		object, ok := result.(map[string]any)
		if !ok {
			var errs fault.Validator
			errs.Require(false, "", fault.Type, "must still be an object after the operations")
			return errs.Err()
		}
		return newMergePatch(selectNamed(object, properties, named)).edit(reader)(c)
	}
	return patch{edit, named, slices.ContainsFunc(ops, operation.reads)}, nil
}

// targets returns the locations that the operations write, without repetition.
func targets(ops []operation) (all []string) {
	for _, op := range ops {
		var written []jsontext.Pointer
		switch op.op {
		case "test":
		case "move":
			written = []jsontext.Pointer{op.from, op.path}
		default:
			written = []jsontext.Pointer{op.path}
		}
		for _, at := range written {
			if !slices.Contains(all, string(at)) {
				all = append(all, string(at))
			}
		}
	}
	return all
}

// selectNamed returns the merge patch that sets the named properties to their values in the object,
// or to null when they are not there. It includes unknown properties, which are errors.
func selectNamed(object map[string]any, list []property, named []string) map[string]any {
	out := map[string]any{}
	for name, v := range object {
		if find(list, name) == nil {
			out[name] = v
		}
	}
	for _, p := range list {
		v, exists := object[p.name]
		isNamed := slices.ContainsFunc(named, func(at string) bool {
			return strings.HasPrefix(pointerTo(p.path)+"/", at+"/")
		})
		if part, ok := v.(map[string]any); ok && p.parts != nil {
			out[p.name] = selectNamed(part, p.parts, named)
		} else if isNamed && (exists || !p.hidden) {
			out[p.name] = v
		}
	}
	return out
}

// outcome returns the effect of the change on each property in the request.
func outcome(sent []string, ch customer.Change) web.Outcome {
	changed := map[string]bool{}
	for _, f := range ch.Diff() {
		object, _, _ := strings.Cut(f.Path, ".")
		changed[""], changed["/"+object], changed[pointerTo(f.Path)] = true, true, true
	}
	return web.NewOutcome(sent, changed, nil)
}
