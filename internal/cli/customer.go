package cli

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
	"kartotek/internal/web"
)

func newCustomer() *cobra.Command {
	return newGroup("customer", "Import and read customers", newImport(), newGet())
}

func newGet() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get ID|NUMBER",
		Short: "Print a customer as a line of JSON",
		Long: `Print the customer with this id or number to standard output, in the format of
"customer import".`,
		Example: "  kartotek customer get --tenant t 42",
		Args:    cobra.ExactArgs(1),
	}
	return withTenant(cmd, func(cmd *cobra.Command, args []string, tenant string) error {
		ref, err := parseRef(tenant, args[0])
		if err != nil {
			return err
		}
		return withStore(cmd, func(store backend) error {
			c, err := newService(store).Get(cmd.Context(), cliActor(tenant), ref)
			if err != nil {
				return err
			}
			line, err := formatCustomer(c)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", line)
			return err
		})
	})
}

func parseRef(tenant, text string) (customer.Ref, error) {
	if number, err := strconv.ParseInt(text, 10, 32); err == nil {
		return customer.ByNumber(tenant, int32(number)), nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return customer.Ref{}, usagef("ID|NUMBER: must be the id (a UUID) or the number of a customer")
	}
	return customer.ByID(tenant, id.String()), nil
}

// parseCustomer parses one line of an import: a JSON object with the domain's field names. An
// absent field stays unchanged, and null clears it. Errors name fields, without their values.
func parseCustomer(line []byte) (customer.Upsert, error) {
	var properties map[string]any
	err := json.Unmarshal(line, &properties)
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !errors.Is(syntax, jsontext.ErrDuplicateName) {
		return customer.Upsert{}, fault.New(fault.BadRequest, "is not JSON")
	} else if ok {
		path := strings.Join(slices.Collect(syntax.JSONPointer.Tokens()), ".")
		return customer.Upsert{}, fault.NewField(fault.Invalid, "validation failed", path, fault.Duplicate, "must not be repeated")
	}
	if err != nil || properties == nil {
		return customer.Upsert{}, fault.New(fault.BadRequest, "is not a JSON object")
	}
	r := customerReader{patch: customer.Patch{}}
	r.readObject("", properties)
	return customer.Upsert{ID: r.id, Number: r.number, Edit: r.patch.Apply}, r.checks.Err()
}

type customerReader struct {
	id     string // empty when the line has none
	number int32  // 0 when the line has none
	patch  customer.Patch
	checks fault.Validator
}

// readObject reads the properties of the line, or of the object with this prefix.
func (r *customerReader) readObject(prefix string, properties map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		path, value := prefix+name, properties[name]
		if f, ok := customer.FieldByPath(path); ok {
			r.patch[path] = fromJSON(f.Type, value)
			r.requireType(f.Accepts(r.patch[path]), path)
			continue
		}
		switch path {
		case "address", "services":
			object, ok := value.(map[string]any)
			r.requireType(ok || value == nil, path)
			r.readObject(path+".", object)
			if value == nil {
				r.clear(path + ".")
			}
		case "id":
			r.readID(value)
		case "number":
			number, ok := fromJSON(customer.TypeInteger, value).(int64)
			r.requireType(value == nil || ok && number <= math.MaxInt32, path)
			r.checks.Require(!ok || number >= 1, path, fault.Range, "must be 1 or more")
			r.number = int32(number)
		case "version", "createdAt", "updatedAt": // the server sets these itself
		default:
			r.checks.Require(false, path, fault.Unknown, "is not a known field")
		}
	}
}

func (r *customerReader) requireType(ok bool, path string) {
	r.checks.Require(ok, path, fault.Type, "has the wrong type")
}

// clear clears every field of an object.
func (r *customerReader) clear(prefix string) {
	for _, f := range customer.Fields() {
		if strings.HasPrefix(f.Path, prefix) {
			r.patch[f.Path] = nil
		}
	}
}

func (r *customerReader) readID(value any) {
	text, ok := value.(string)
	r.requireType(ok || value == nil, "id")
	if text != "" {
		id, err := uuid.Parse(text)
		r.id = strings.ToLower(text)
		r.checks.Require(err == nil && id.String() == r.id, "id", fault.Format, "must be a UUID")
	}
}

// fromJSON converts value to the domain's form of this type. It returns another value unchanged.
func fromJSON(want customer.FieldType, value any) any {
	switch v := value.(type) {
	case float64:
		if want == customer.TypeInteger && v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return int64(v)
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil && want == customer.TypeTime {
			return at
		}
	}
	return value
}

// formatCustomer returns c in the format of parseCustomer, with null for an empty field.
func formatCustomer(c customer.Customer) ([]byte, error) {
	line := web.Properties{{Name: "id", Value: c.ID}, {Name: "number", Value: c.Number}}
	for _, f := range customer.Fields() {
		object, name, nested := strings.Cut(f.Path, ".")
		if !nested {
			line = append(line, web.Property{Name: f.Path, Value: f.Get(&c)})
			continue
		}
		last := &line[len(line)-1]
		if last.Name != object {
			line = append(line, web.Property{Name: object, Value: web.Properties{}})
			last = &line[len(line)-1]
		}
		last.Value = append(last.Value.(web.Properties), web.Property{Name: name, Value: f.Get(&c)})
	}
	return json.Marshal(append(line,
		web.Property{Name: "version", Value: c.Version},
		web.Property{Name: "createdAt", Value: c.CreatedAt},
		web.Property{Name: "updatedAt", Value: c.UpdatedAt}))
}

// reasons joins the texts of an error's fields.
func reasons(err error) string {
	f := fault.From(err)
	if len(f.Fields) == 0 {
		return f.Text
	}
	var out []string
	for _, field := range f.Fields {
		out = append(out, field.Path+": "+field.Text)
	}
	return strings.Join(out, "; ")
}
