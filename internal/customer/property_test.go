package customer_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

// good holds values that a field takes; any of them may meet any other.
var good = map[string][]string{
	"kind":               {"person", "organisation", " person"},
	"firstName":          {"Ada", " Zoe\u0308 ", "李"},
	"lastName":           {"King", "O’Brien", "de la Cruz\n"},
	"birthDate":          {"1815-12-10", "2024-02-29", "2026-03-02"},
	"gender":             customer.Genders(),
	"locale":             {"nl-BE", "nb-NO"},
	"nationalId":         {"1", "15.12.10-123.45"},
	"organisationNumber": {"2", "556016-0680"},
	"email":              {"ada@example.com", `"a b"@münchen.de`},
	"phone":              {"112", " +32 (0)2 555"},
	"mobile":             {"113"},
	"address.line":       {"Dorp 1", "Kerkstraat 12 B", "Kerkstraat 12 B ", "Zoe\u0308straat", "Zoëstraat"},
	"address.postalCode": {"9000", "SW1A 1AA"},
	"address.city":       {"Gent", "\u00a0Brussel"},
	"address.country":    {"BE", "NO"},
}

// drawPatch draws a patch, and lists the fields that it sets. A wild one breaks rules.
func drawPatch(t *rapid.T, wild bool) (p customer.Patch, named []string) {
	p = customer.Patch{}
	for _, f := range customer.Fields() {
		var value any
		switch rapid.SampledFrom([]string{"absent", "absent", "null", "value", "value"}).Draw(t, f.Path) {
		case "absent":
			continue
		case "value":
			value = values(f, wild).Draw(t, f.Path+" value")
		}
		named = append(named, f.Path)
		p[f.Path] = value
	}
	return p, named
}

// values are what a patch sets a field to: valid, unless it is wild.
func values(f customer.Field, wild bool) *rapid.Generator[any] {
	switch f.Type {
	case customer.TypeBool:
		return rapid.Bool().AsAny()
	case customer.TypeInteger:
		least := int64(0)
		if wild {
			least = -3
		}
		return rapid.Int64Range(least, math.MaxInt32).AsAny()
	case customer.TypeTime:
		return rapid.Custom(func(t *rapid.T) any {
			zone := time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
			return noon.Add(time.Duration(rapid.Int64().Draw(t, "ns"))).In(zone)
		})
	}
	known := good[f.Path]
	if known == nil {
		known = []string{"12", "B", "c/o Byron"}
	}
	if !wild {
		return rapid.SampledFrom(known).AsAny()
	}
	return rapid.OneOf(
		rapid.SampledFrom(known),
		rapid.SampledFrom(known),
		rapid.SampledFrom([]string{"", " ", "\x00", "\xff", "a\u0301\u0301\u0301", "\u0301", "2999-01-01", "@"}),
		rapid.String(),
		rapid.StringN(0, 300, -1),
	).AsAny()
}

// anyRecord is a stored one: born of a patch, or with every field full.
func anyRecord(t *rapid.T) customer.Customer {
	if rapid.Bool().Draw(t, "full") {
		return born(t, full())
	}
	c := ada()
	p, _ := drawPatch(t, false)
	if err := p.Apply(&c); err != nil {
		t.Fatal(err)
	}
	if c.Kind == "" {
		c.Kind = customer.Person
	}
	if c.FirstName == "" && c.LastName == "" {
		c.LastName = "King"
	}
	return born(t, c)
}

// anyPatch draws a valid or a wild patch.
func anyPatch(t *rapid.T) (customer.Patch, []string) {
	return drawPatch(t, rapid.Bool().Draw(t, "wild"))
}

func TestARevisionIsRefusedWithFaultsOrIsSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := anyRecord(t)
		p, _ := anyPatch(t)
		by := kari
		by.At = noon.Add(time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "at")))
		ch, err := customer.Apply(before, by, p.Apply)
		if err != nil {
			if f := fault.From(err); f.Kind != fault.Invalid || len(f.Fields) == 0 || ch != (customer.Change{}) {
				t.Fatalf("refused: got %v and %+v, want faults in fields and no change", err, ch)
			}
			return
		}
		if err := ch.After.Check(by.At); err != nil && !ch.Empty() {
			t.Fatalf("the revised record breaks a rule: %v", err)
		}
		again, err := customer.Create(ch.After, by)
		again.After.Version, again.After.CreatedAt, again.After.UpdatedAt = ch.After.Version, ch.After.CreatedAt, ch.After.UpdatedAt
		if err != nil && !ch.Empty() || err == nil && again.After != ch.After {
			t.Fatalf("the revised record is not normal: got %+v, %v, want %+v", again.After, err, ch.After)
		}
		if ch.After.UpdatedAt.Before(before.UpdatedAt) {
			t.Fatalf("updated at: got %v, want %v or later", ch.After.UpdatedAt, before.UpdatedAt)
		}
	})
}

func TestAPatchTouchesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	parts := []string{"address.careOf", "address.houseNumber", "address.houseLetter", "address.entrance", "address.floor"}
	rapid.Check(t, func(t *rapid.T) {
		p, named := anyPatch(t)
		ch, err := customer.Apply(anyRecord(t), kari, p.Apply)
		if err != nil {
			return
		}
		moved := ch.Before.Address.Line != ch.After.Address.Line
		for _, field := range ch.Diff() {
			if !slices.Contains(named, field.Path) && !(moved && slices.Contains(parts, field.Path) && field.After == nil) {
				t.Fatalf("a patch of %v changed %s from %q to %q", named, field.Path, field.Before, field.After)
			}
		}
	})
}

func TestASecondTimeAPatchChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, _ := anyPatch(t)
		first, err := customer.Apply(anyRecord(t), kari, p.Apply)
		if err != nil {
			return
		}
		second, err := customer.Apply(first.After, kari, p.Apply)
		if err != nil || !second.Empty() {
			t.Fatalf("the second time: got %+v, %v, want no change", second.Diff(), err)
		}
	})
}

func TestAChangeIsEmptyExactlyWhenItsDiffIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, _ := anyPatch(t)
		ch, err := customer.Apply(anyRecord(t), kari, p.Apply)
		if err != nil {
			return
		}
		if (len(ch.Diff()) == 0) != ch.Empty() || ch.Empty() != (ch.Before == ch.After) {
			t.Fatalf("empty: got %v, with the diff %+v", ch.Empty(), ch.Diff())
		}
		if wantVersion := ch.Before.Version + int64(min(1, len(ch.Diff()))); ch.After.Version != wantVersion {
			t.Fatalf("version: got %d, want %d", ch.After.Version, wantVersion)
		}
		other := anyRecord(t)
		other.CreatedAt, other.UpdatedAt, other.Version = ch.After.CreatedAt, ch.After.UpdatedAt, ch.After.Version
		if (len(customer.Diff(ch.After, other)) == 0) != (ch.After == other) {
			t.Fatalf("diff of %+v and %+v: got %+v", ch.After, other, customer.Diff(ch.After, other))
		}
	})
}

func TestARecordTakesEveryValidEmail(t *testing.T) {
	t.Parallel()
	part := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9."\\ -]{0,70}`), rapid.StringMatching(`[a-z0-9]{1,63}(\.[a-z0-9-]{1,63}){1,3}`))
	rapid.Check(t, func(t *rapid.T) {
		c := ada()
		c.Email = part.Draw(t, "local") + "@" + part.Draw(t, "domain")
		if valid := customer.ValidEmail(c.Email); valid != (c.Check(noon) == nil) {
			t.Fatalf("%q: got valid %v, but the record says %v", c.Email, valid, c.Check(noon))
		}
	})
}
