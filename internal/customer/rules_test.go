package customer_test

import (
	"strings"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

func TestTheLeastRecordIsValid(t *testing.T) {
	t.Parallel()
	wantBroken(t, ada().Check(noon), "", ada())
	wantBroken(t, full().Check(noon), "", full())
}

// limits are the longest texts, in characters.
var limits = map[string]int{
	"firstName": 100, "lastName": 100, "nationalId": 32, "organisationNumber": 32, "email": 254,
	"phone": 50, "mobile": 50, "address.line": 200, "address.careOf": 50, "address.houseNumber": 50,
	"address.houseLetter": 50, "address.entrance": 50, "address.floor": 50, "address.postalCode": 20, "address.city": 100, "address.region": 100,
}

func TestTextHasALimitInCharacters(t *testing.T) {
	t.Parallel()
	for path, limit := range limits {
		letters := []string{"é", "字", "e\u0301", "𝒜"} // the third is composed before it is counted
		switch path {
		case "phone", "mobile":
			letters = []string{"1"}
		case "email":
			continue // the form says more: see TestEmail
		}
		for _, letter := range letters {
			c := ada()
			*text(&c, path) = strings.Repeat(letter, limit)
			_, err := customer.Create(c, kari)
			wantBroken(t, err, "", path+" at its limit of "+letter)

			*text(&c, path) += letter
			_, err = customer.Create(c, kari)
			wantBroken(t, err, path+":length", path+" one past its limit of "+letter)
		}
	}
}

func TestControlCharactersAreRefused(t *testing.T) {
	t.Parallel()
	for path := range limits {
		for _, control := range []string{"\x00", "\x01", "\t", "\n", "\r", "\x1b", "\x7f", "\u0085", "\u009f", "\xff", "\xc3"} {
			c := full()
			field := text(&c, path)
			*field = (*field)[:1] + control + "1"
			_, err := customer.Create(c, kari)
			wantBroken(t, err, path+":format", *field)
		}
	}
}

func TestNulIsRefusedAtTheEndToo(t *testing.T) {
	t.Parallel()
	c := ada()
	c.FirstName = "Ada\x00"
	_, err := customer.Create(c, kari)
	wantBroken(t, err, "firstName:format", c)
}

func TestTextIsStoredTrimmedAndComposed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"spaces at the ends go":           {"  Ada  ", "Ada"},
		"line ends at the ends go":        {"\r\n\tAda\n", "Ada"},
		"wide spaces at the ends go":      {"\u3000\u00a0\u2003Ada\u2028", "Ada"},
		"spaces inside stay":              {"Ada  King", "Ada  King"},
		"accents are composed":            {"Zoe\u0308", "Zoë"},
		"Hangul is composed":              {"\u1112\u1161\u11ab", "한"},
		"compatibility letters stay":      {"ﬁ²Ⅳ", "ﬁ²Ⅳ"},
		"letter case stays":               {"McADA", "McADA"},
		"a joiner inside an emoji stays":  {"👩‍💻", "👩‍💻"},
		"a mark without its letter stays": {"\u0301a", "\u0301a"},
		"only spaces are nothing":         {" \t ", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"firstName", "address.line", "address.city"} {
				c := ada()
				*text(&c, path) = tt.in
				c = born(t, c)
				if got := *text(&c, path); got != tt.want {
					t.Errorf("%s of %q: got %q, want %q", path, tt.in, got, tt.want)
				}
			}
		})
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path    string
		rule    string // which the bad values break
		good    string // values, with | between them
		bad     string
		noEmpty bool // the field may not be absent
	}{
		"id is a UUID in lower case": {
			path: "id", rule: fault.Format, noEmpty: true,
			good: "00000000-0000-0000-0000-000000000000|0191d3a0-1234-7abc-8def-0123456789ab",
			bad:  "0191D3A0-1234-7abc-8def-0123456789ab|0191d3a012347abc8def0123456789ab|{0191d3a0-1234-7abc-8def-0123456789ab}|0191d3a0-1234-7abc-8def-0123456789a|0191d3a0-1234-7abc-8def-0123456789abc|0191d3a0-1234-7abc-8def-0123456789ag|7",
		},
		"kind is on the list": {
			path: "kind", rule: fault.Format, noEmpty: true,
			good: "person|organisation| person ",
			bad:  "Person|PERSON|company|organization|persons",
		},
		"gender is on the list": {
			path: "gender", rule: fault.Format,
			good: "male|female|nonBinary|notDisclosed",
			bad:  "Male|nonbinary|non-binary|other|m|unknown",
		},
		"locale is a language and a region": {
			path: "locale", rule: fault.Format,
			good: "nl-BE|fr-BE|nb-NO|sv-SE|en-GB|fil-PH|zh-CN",
			bad:  "nl|BE|nl_BE|nl-be|NL-BE|nl-BEL|nld-BE|nl-056|xq-BE|nl-ZZ|nl-UK|nl-BE-x-a|zh-Hans-CN|nl-|-BE|nl--BE|-",
		},
		"country is a code that ISO assigns": {
			path: "address.country", rule: fault.Format,
			good: "BE|NO|SE|NL|GB|DE|AX|SS|BQ|ZW",
			bad:  "be|Be|B|BEL|056|UK|EU|XK|ZZ|AA|AN|SU|DD|YU|AC|UN|XX|B1|ß|Belgium",
		},
		"phone is digits and their marks": {
			path: "phone", rule: fault.Format,
			good: "112|1 1 2|+32 (0)2/555.12-34|(((1)))22|--1-2-3",
			bad:  "11|1-1|+|.|call 112|112x|112,1|112;ext=1|１１２|1\u00a012|1_12|#112|*112|٣٣٣٣",
		},
		"mobile follows phone": {
			path: "mobile", rule: fault.Format,
			good: "112|+47 900 00 000",
			bad:  "11|four|112#",
		},
		"birth date is a date of the calendar": {
			path: "birthDate", rule: fault.Format,
			good: "2026-03-01|0001-01-01|1899-12-31|2024-02-29|2000-02-29|1600-02-29|2023-12-31",
			bad:  "2023-02-29|1900-02-29|2100-02-29|2024-02-30|2024-04-31|2024-13-01|2024-00-01|2024-01-00|2024-01-32|0000-01-01|-001-01-01|2024-1-1|24-01-01|10000-01-01|20240101|2024/01/01|01-02-2024|2024-01-01T00:00:00Z|2024-01-01Z|today|２０２４-01-01",
		},
		"names may hold any printable text": {
			path: "firstName", rule: fault.Format,
			good: "X Æ A-12|O'Brien|李|<b>|Robert'); DROP TABLE|\u200fעדה|.",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try := func(value, want string) {
				c := ada()
				*text(&c, tt.path) = value
				_, err := customer.Create(c, kari)
				wantBroken(t, err, want, tt.path+" "+value)
			}
			for value := range strings.SplitSeq(tt.good, "|") {
				try(value, "")
			}
			refused := tt.path + ":" + tt.rule
			for value := range strings.SplitSeq(tt.bad, "|") {
				if tt.bad != "" {
					try(value, refused)
				}
			}
			if tt.noEmpty {
				try("", refused)
			} else {
				try("", "")
			}
		})
	}
}

func TestBirthIsNotInTheFutureAnywhere(t *testing.T) {
	t.Parallel()
	kiritimati := time.FixedZone("UTC+14", 14*60*60)
	hawaii := time.FixedZone("UTC-10", -10*60*60)
	tests := map[string]struct {
		now  time.Time
		born string
		want string
	}{
		"today is no future":                       {time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "2026-03-01", ""},
		"tomorrow has begun in the earliest zone":  {time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), "2026-03-02", ""},
		"tomorrow has not begun anywhere":          {time.Date(2026, 3, 1, 9, 59, 59, 999, time.UTC), "2026-03-02", "birthDate:range"},
		"the day after tomorrow is future":         {time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC), "2026-03-03", "birthDate:range"},
		"the clock's zone ahead makes no change":   {time.Date(2026, 3, 2, 0, 0, 0, 0, kiritimati), "2026-03-02", ""},
		"the clock's zone ahead adds no day":       {time.Date(2026, 3, 2, 0, 0, 0, 0, kiritimati), "2026-03-03", "birthDate:range"},
		"the clock's zone behind makes no change":  {time.Date(2026, 2, 28, 23, 59, 0, 0, hawaii), "2026-03-01", ""},
		"the clock's zone behind takes no day":     {time.Date(2026, 3, 1, 0, 0, 0, 0, hawaii), "2026-03-02", ""},
		"a leap day is no future on the day":       {time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC), "2028-02-29", ""},
		"a leap day is future two days before it":  {time.Date(2028, 2, 27, 23, 0, 0, 0, time.UTC), "2028-02-29", "birthDate:range"},
		"a date off the calendar is no future one": {noon, "2999-02-30", "birthDate:format"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ada()
			c.BirthDate = tt.born
			wantBroken(t, c.Check(tt.now), tt.want, tt)
		})
	}
}

func TestRequiredAndNumbers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*customer.Customer)
		want   string
	}{
		"a first name is enough":          {func(c *customer.Customer) { c.FirstName, c.LastName = "Ada", "" }, ""},
		"a last name is enough":           {func(c *customer.Customer) { c.FirstName = "" }, ""},
		"a name is required":              {func(c *customer.Customer) { c.LastName = "" }, "lastName:required"},
		"a blank name is none":            {func(c *customer.Customer) { c.FirstName, c.LastName = " \t", "\u3000" }, "lastName:required"},
		"an organisation needs one too":   {func(c *customer.Customer) { c.Kind, c.LastName = customer.Organisation, "" }, "lastName:required"},
		"number begins at 1":              {func(c *customer.Customer) { c.Number = 1 }, ""},
		"number ends with its type":       {func(c *customer.Customer) { c.Number = 1<<31 - 1 }, ""},
		"number is not 0":                 {func(c *customer.Customer) { c.Number = 0 }, "number:range"},
		"number is not negative":          {func(c *customer.Customer) { c.Number = -1 }, "number:range"},
		"box number may be 0":             {func(c *customer.Customer) { c.Address.POBox = customer.POBox{Valid: true} }, ""},
		"box number is not negative":      {func(c *customer.Customer) { c.Address.POBox = customer.POBox{Valid: true, Number: -1} }, "address.poBox:range"},
		"a box that is not given is none": {func(c *customer.Customer) { c.Address.POBox = customer.POBox{Number: -1} }, ""},
		"confirmed in a year of RFC 3339": {func(c *customer.Customer) { c.ConfirmedAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }, ""},
		"confirmed in year 10000 of UTC": {
			func(c *customer.Customer) {
				c.ConfirmedAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -60))
			}, "confirmedAt:range",
		},
		"confirmed before year 1":        {func(c *customer.Customer) { c.ConfirmedAt = time.Time{}.Add(-1) }, "confirmedAt:range"},
		"e-mail is checked":              {func(c *customer.Customer) { c.Email = "ada" }, "email:format"},
		"a long e-mail is too long only": {func(c *customer.Customer) { c.Email = strings.Repeat("a", 255) }, "email:length"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ada()
			tt.change(&c)
			_, err := customer.Create(c, kari)
			wantBroken(t, err, tt.want, c)
		})
	}
}

// The codes that ISO 3166-1 assigned, counted.
func TestThereAre249Countries(t *testing.T) {
	t.Parallel()
	n := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			c := ada()
			c.Address.Country = string([]rune{a, b})
			if c.Check(noon) == nil {
				n++
			}
		}
	}
	if n != 249 {
		t.Errorf("countries: got %d, want 249", n)
	}
}

func TestEveryFaultIsToldAtOnceInTheOrderOfTheRecord(t *testing.T) {
	t.Parallel()
	c := customer.Customer{ID: "ID-7771", Number: -7772, Kind: "kind-7773", Address: customer.Address{POBox: customer.POBox{Valid: true, Number: -7774}}}
	var want []string
	for _, path := range []string{
		"id", "number", "kind", "firstName", "lastName", "birthDate", "gender", "locale", "nationalId", "organisationNumber",
		"email", "phone", "mobile", "address.line", "address.careOf", "address.houseNumber", "address.houseLetter",
		"address.entrance", "address.floor", "address.poBox", "address.postalCode", "address.city", "address.country",
	} {
		rule := fault.Format
		if path == "number" || path == "address.poBox" {
			rule = fault.Range
		} else if limit := limits[path]; limit > 0 {
			rule = fault.Length
			*text(&c, path) = strings.Repeat("zyx", limit)
		} else if field := text(&c, path); *field == "" {
			*field = "zyx"
		}
		want = append(want, path+":"+rule)
	}
	err := c.Check(noon)
	wantBroken(t, err, strings.Join(want, " "), c)
	for _, secret := range []string{"zyx", "777"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the fault repeats the value %q: %v", secret, err)
		}
	}
}

func TestABrokenTextIsNotReportedAsABadFormToo(t *testing.T) {
	t.Parallel()
	c := ada()
	c.Email, c.Phone, c.BirthDate = "a\x00", "\x01", "2024-01-01\x00"
	wantBroken(t, c.Check(noon), "birthDate:format email:format phone:format", c)
}

func TestConfirmationIsNeededAfterAWhile(t *testing.T) {
	t.Parallel()
	year := 8760 * time.Hour
	tests := map[string]struct {
		confirmed time.Time
		want      bool
	}{
		"never confirmed":           {time.Time{}, true},
		"confirmed now":             {noon, false},
		"confirmed as long ago":     {noon.Add(-year), false},
		"confirmed longer ago":      {noon.Add(-year - 1), true},
		"confirmed by a fast clock": {noon.Add(time.Minute), false},
	}
	for name, tt := range tests {
		c := ada()
		c.ConfirmedAt = tt.confirmed
		if got := c.NeedsConfirmation(noon, year); got != tt.want {
			t.Errorf("%s at %v: got %v, want %v", name, tt.confirmed, got, tt.want)
		}
	}
}
