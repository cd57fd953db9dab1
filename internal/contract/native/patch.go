package native

import (
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

// property is one property of the record on the wire. Its name is the domain's.
type property struct {
	name  string
	value func(*customerBody) any // what the record shows; nil for one that it does not show
	kept  bool                    // by the server: a PATCH may repeat its value and not change it
	due   bool                    // it cannot be cleared
	field customer.Field          // what a PATCH sets, unless the property is kept or has parts
	parts []property              // of an object
}

// properties lists the properties of the record, in its order. The domain's table of fields is the
// middle of it.
var properties = slices.Concat(
	[]property{
		{name: "id", kept: true, value: func(b *customerBody) any { return b.ID }},
		{name: "number", kept: true, value: func(b *customerBody) any { return int64(b.Number) }},
		{name: "version", kept: true, value: func(b *customerBody) any { return b.Version }},
	},
	fieldProperties(),
	[]property{
		{name: "requiresConfirmation", kept: true, value: func(b *customerBody) any { return b.requiresConfirmation }},
		{name: "createdAt", kept: true, value: func(b *customerBody) any { return b.CreatedAt }},
		{name: "updatedAt", kept: true, value: func(b *customerBody) any { return b.UpdatedAt }},
		{name: "tenant", kept: true},
	},
)

// fieldProperties nests the fields by the dots in their paths.
func fieldProperties() []property {
	var list []property
	for _, f := range customer.Fields() {
		p := property{
			name: f.Path, kept: f.Path == "confirmedAt", due: f.Path == "kind", field: f,
			value: func(b *customerBody) any { return f.Get(&b.Customer) },
		}
		object, name, nested := strings.Cut(f.Path, ".")
		if !nested {
			list = append(list, p)
			continue
		}
		if len(list) == 0 || list[len(list)-1].name != object {
			list = append(list, property{name: object})
		}
		p.name = name
		list[len(list)-1].parts = append(list[len(list)-1].parts, p)
	}
	return list
}

// shown reports whether a record that is read has the property.
func (p property) shown() bool { return p.value != nil || p.parts != nil }

// pointerTo is the JSON Pointer to a domain path: "/address/line".
func pointerTo(path string) string { return "/" + strings.ReplaceAll(path, ".", "/") }

// order is where the record has its members, by pointer.
var order = pointers("/", properties)

func pointers(at string, list []property) []string {
	var all []string
	for _, p := range list {
		all = append(all, at+p.name)
		all = append(all, pointers(at+p.name+"/", p.parts)...)
	}
	return all
}

// document is what a merge patch (RFC 7396) says of a record.
type document struct {
	fields customer.Patch
	kept   map[string]any // what it says of members that the server keeps, by pointer
	broken []fault.Field  // what is wrong with it, whatever the record
	sent   []string       // pointers to the members that it carries
}

// readDocument reads the members of a merge patch.
func readDocument(members map[string]any) document {
	d := document{fields: customer.Patch{}, kept: map[string]any{}}
	d.read("", properties, members)
	return d
}

func (d *document) read(at jsontext.Pointer, list []property, members map[string]any) {
	for _, p := range list {
		if v, ok := members[p.name]; ok {
			d.take(at.AppendToken(p.name), p, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if find(list, name).name == "" {
			d.refuse(at.AppendToken(name), fault.Unknown, "is no member of the record")
		}
	}
}

func (d *document) take(at jsontext.Pointer, p property, v any) {
	parts, isObject := v.(map[string]any)
	switch {
	case p.parts != nil && isObject:
		d.read(at, p.parts, parts)
		return
	case p.parts != nil && v != nil:
		d.refuse(at, fault.Type, "must be an object or null")
	case p.parts != nil:
		for _, part := range p.parts {
			d.set(at, part, nil)
		}
	case p.kept:
		d.kept[string(at)] = v
	default:
		d.set(at, p, v)
	}
	d.sent = append(d.sent, string(at))
}

func (d *document) set(at jsontext.Pointer, p property, v any) {
	value, wrong := p.read(v)
	if wrong.Rule != "" {
		d.refuse(at, wrong.Rule, wrong.Text)
		return
	}
	d.fields[p.field.Path] = value
}

// read returns a JSON value as the domain has it: nil for null, which clears the field.
func (p property) read(v any) (value any, wrong fault.Field) {
	if v == nil || v == "" && p.field.Type == customer.TypeText {
		return nil, fault.Field{}
	}
	switch p.field.Type {
	case customer.TypeText:
		if _, ok := v.(string); !ok && p.due {
			return nil, fault.Field{Rule: fault.Type, Text: "must be a string"}
		} else if !ok {
			return nil, fault.Field{Rule: fault.Type, Text: "must be a string or null"}
		}
	case customer.TypeBool:
		if _, ok := v.(bool); !ok {
			return nil, fault.Field{Rule: fault.Type, Text: "must be true, false or null"}
		}
	case customer.TypeInteger:
		return readInteger(v)
	}
	return v, fault.Field{}
}

func readInteger(v any) (value any, wrong fault.Field) {
	n, isNumber := v.(number)
	integer, whole := n.integer()
	switch {
	case !isNumber || !whole:
		return nil, fault.Field{Rule: fault.Type, Text: "must be an integer or null"}
	case integer < 0 || integer > math.MaxInt32:
		return nil, fault.Field{Rule: fault.Range, Text: "must be from 0 to 2147483647"}
	}
	return integer, fault.Field{}
}

func (d *document) refuse(at jsontext.Pointer, rule, text string) {
	d.need(false, string(at), rule, text)
}

func (d *document) need(ok bool, at, rule, text string) {
	if !ok {
		d.broken = append(d.broken, fault.Field{Path: at, Rule: rule, Text: text})
	}
}

// showing is how a record is shown, as a JSON value.
type showing func(customer.Customer) (map[string]any, error)

// edit is the document as an edit of a record. It touches what the document
// carries, and tells all that is wrong at once.
func (d document) edit(show showing) customer.Edit {
	return func(c *customer.Customer) error {
		broken := slices.Clone(d.broken)
		if len(d.kept) > 0 {
			stored, err := show(*c)
			if err != nil {
				return err
			}
			stored["tenant"] = c.Tenant // which is not shown, but may be repeated
			broken = append(broken, d.moved(stored)...)
		}
		if err := d.fields.Apply(c); err != nil {
			return err
		}
		return invalid(broken)
	}
}

// moved are the kept members that the document wants changed.
func (d document) moved(stored map[string]any) []fault.Field {
	var broken []fault.Field
	for _, at := range slices.Sorted(maps.Keys(d.kept)) {
		if !repeats(stored[at[1:]], d.kept[at]) {
			broken = append(broken, fault.Field{Path: at, Rule: fault.Immutable, Text: "is kept by the server and cannot be changed here: leave it out, or send the value that it has"})
		}
	}
	return broken
}

// repeats reports whether what was sent is what the record has: a time in any
// zone, and an id in any case.
func repeats(stored, sent any) bool {
	if equal(stored, sent) {
		return true
	}
	a, isText := stored.(string)
	b, sentText := sent.(string)
	if !isText || !sentText {
		return false
	}
	before, err := time.Parse(time.RFC3339Nano, a)
	after, errSent := time.Parse(time.RFC3339Nano, b)
	if err == nil && errSent == nil {
		return before.Equal(after)
	}
	id, ok := parseID(b)
	return ok && id == a
}

// invalid is an Invalid fault, or nil when nothing is broken. It names fields of
// the record as the domain does, which then says nothing more of the same ones.
func invalid(broken []fault.Field) error {
	var checks fault.Validator
	for _, f := range broken {
		if slices.Contains(order, f.Path) {
			f.Path = strings.ReplaceAll(f.Path[1:], "/", ".")
		}
		checks.Require(false, f.Path, f.Rule, f.Text)
	}
	return checks.Err()
}

// outcome says what became of each member that was sent.
func outcome(sent []string, ch customer.Change) web.Outcome {
	moved := map[string]bool{}
	for _, f := range ch.Diff() {
		at := pointerTo(f.Path)
		object, _, _ := strings.Cut(at[1:], "/")
		moved[""], moved["/"+object], moved[at] = true, true, true
	}
	return web.NewOutcome(sent, moved, nil)
}

// proposal is what a PATCH asks for: an edit, and pointers to what it carries.
type proposal struct {
	edit customer.Edit
	sent []string
}

// readMergePatch reads a merge patch (RFC 7396).
func readMergePatch(body []byte, show showing) (proposal, error) {
	members, err := readObject(body)
	if err != nil {
		return proposal{}, err
	}
	d := readDocument(members)
	return proposal{d.edit(show), d.sent}, nil
}

// readObject reads a body that is one JSON object.
func readObject(body []byte) (map[string]any, error) {
	v, err := parse(body, "a JSON object")
	if err != nil {
		return nil, err
	}
	members, ok := v.(map[string]any)
	if !ok {
		return nil, malformed(fault.Field{Rule: fault.Type, Text: "must be a JSON object"})
	}
	return members, nil
}

// readJSONPatch reads a JSON Patch (RFC 6902). It is applied to the record as it
// is shown, inside the write, and what its operations name is read back.
func readJSONPatch(body []byte, show showing) (proposal, error) {
	ops, err := readOperations(body)
	if err != nil {
		return proposal{}, err
	}
	named := targets(ops)
	edit := func(c *customer.Customer) error {
		shown, err := show(*c)
		if err != nil {
			return err
		}
		result, err := applyAll(ops, shown)
		if err != nil {
			return err
		}
		members, ok := result.(map[string]any)
		if !ok {
			return invalid([]fault.Field{{Rule: fault.Type, Text: "must be an object when the operations are done"}})
		}
		return readDocument(only(members, named)).edit(show)(c)
	}
	p := proposal{edit: edit}
	for _, at := range named {
		if pointer := toPointer(at); !slices.Contains(p.sent, pointer) {
			p.sent = append(p.sent, pointer)
		}
	}
	return p, nil
}

func toPointer(tokens []string) string {
	var at jsontext.Pointer
	for _, token := range tokens {
		at = at.AppendToken(token)
	}
	return string(at)
}

// targets are the locations that the operations write.
func targets(ops []operation) [][]string {
	var all [][]string
	for _, op := range ops {
		if op.op == "move" {
			all = append(all, op.from)
		}
		if op.op != "test" {
			all = append(all, op.path)
		}
	}
	return all
}

// only is a merge patch with what the result has at these locations: null for what
// is not there any more.
func only(result map[string]any, named [][]string) map[string]any {
	out := map[string]any{}
	for _, at := range named {
		if len(at) == 0 {
			return whole(result, properties)
		}
		p := find(properties, at[0])
		object, isObject := result[p.name].(map[string]any)
		switch {
		case p.parts == nil || !isObject:
			copyMember(out, result, at[0], properties)
		case len(at) == 1:
			out[p.name] = whole(object, p.parts)
		default:
			members, ok := out[p.name].(map[string]any)
			if !ok {
				members = map[string]any{}
				out[p.name] = members
			}
			copyMember(members, object, at[1], p.parts)
		}
	}
	return out
}

// whole is a merge patch that leaves nothing of a record, or of a part of it, but
// these members.
func whole(members map[string]any, list []property) map[string]any {
	out := maps.Clone(members)
	for _, p := range list {
		object, isObject := members[p.name].(map[string]any)
		if isObject && p.parts != nil {
			out[p.name] = whole(object, p.parts)
			continue
		}
		copyMember(out, members, p.name, list)
	}
	return out
}

// copyMember copies a member, or null for one of the record that is gone.
func copyMember(to, from map[string]any, name string, list []property) {
	v, there := from[name]
	if there || find(list, name).shown() {
		to[name] = v
	}
}

// find is the property with this name, or the zero property.
func find(list []property, name string) property {
	for _, p := range list {
		if p.name == name {
			return p
		}
	}
	return property{}
}
