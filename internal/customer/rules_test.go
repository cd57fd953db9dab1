package customer_test

import (
	"strings"
	"testing"
	"time"

	"kartotek/internal/customer"
	"kartotek/internal/fault"
)

func TestMinimalRecordIsValid(t *testing.T) {
	t.Parallel()
	wantRules(t, ada().Check(noon), "", ada())
	wantRules(t, full().Check(noon), "", full())
}

// limits are the maximum lengths of texts, in characters.
var limits = map[string]int{
	"firstName": 100, "lastName": 100, "nationalId": 32, "organisationNumber": 32, "email": 254,
	"phone": 50, "mobile": 50, "address.line": 200, "address.careOf": 50, "address.houseNumber": 50,
	"address.houseLetter": 50, "address.entrance": 50, "address.floor": 50, "address.postalCode": 20, "address.city": 100, "address.region": 100,
}

func TestTextHasMaximumLengthInCharacters(t *testing.T) {
	t.Parallel()
	for path, limit := range limits {
		letters := []string{"é", "字", "e\u0301", "𝒜"} // the third is in NFC one character
		switch path {
		case "phone", "mobile":
			letters = []string{"1"}
		case "email":
			continue // has more rules: see email_test.go
		}
		for _, letter := range letters {
			c := ada()
			*text(&c, path) = strings.Repeat(letter, limit)
			_, err := customer.Create(c, kari)
			wantRules(t, err, "", path+" at its limit, of "+letter)

			*text(&c, path) += letter
			_, err = customer.Create(c, kari)
			wantRules(t, err, path+":length", path+" one above its limit, of "+letter)
		}
	}
}

func TestControlCharactersAreInvalid(t *testing.T) {
	t.Parallel()
	for path := range limits {
		for _, control := range []string{"\x00", "\x01", "\t", "\n", "\r", "\x1b", "\x7f", "\u0085", "\u009f", "\xff", "\xc3", "\u202d", "\u202e"} {
			dropped := strings.ContainsAny(control, "\u202d\u202e") && (path == "phone" || path == "mobile")
			if control == "\n" && path == "address.line" || dropped {
				continue
			}
			c := full()
			field := text(&c, path)
			*field = (*field)[:1] + control + "1"
			_, err := customer.Create(c, kari)
			wantRules(t, err, path+":format", *field)
		}
	}
}

func TestTrailingNulIsInvalid(t *testing.T) {
	t.Parallel()
	c := ada()
	c.FirstName = "Ada\x00"
	_, err := customer.Create(c, kari)
	wantRules(t, err, "firstName:format", c)
}

func TestTextIsStoredTrimmedAndInNFC(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"outer spaces are removed":       {"  Ada  ", "Ada"},
		"outer line ends are removed":    {"\r\n\tAda\n", "Ada"},
		"outer wide spaces are removed":  {"\u3000\u00a0\u2003Ada\u2028", "Ada"},
		"outer marks are removed":        {"\ufeff\u202a\u200eAda\u202c\u200b", "Ada"},
		"outer joiners are removed":      {"\u200dAda\u200c", "Ada"},
		"no-break spaces become spaces":  {"Ada\u00a0King\u202fJr\u2007x", "Ada King Jr x"},
		"a joiner inside a name stays":   {"علی\u200cرضا", "علی\u200cرضا"},
		"isolates inside stay":           {"Ada \u2068עדה\u2069 King", "Ada \u2068עדה\u2069 King"},
		"spaces inside stay":             {"Ada  King", "Ada  King"},
		"accents are composed":           {"Zoe\u0308", "Zoë"},
		"Hangul is composed":             {"\u1112\u1161\u11ab", "한"},
		"compatibility letters stay":     {"ﬁ²Ⅳ", "ﬁ²Ⅳ"},
		"letter case stays":              {"McADA", "McADA"},
		"a joiner inside an emoji stays": {"👩‍💻", "👩‍💻"},
		"a mark without a letter stays":  {"\u0301a", "\u0301a"},
		"only spaces become empty":       {" \t ", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"firstName", "address.line", "address.city"} {
				c := ada()
				*text(&c, path) = tt.in
				c = stored(t, c)
				if got := *text(&c, path); got != tt.want {
					t.Errorf("%s of %q: got %q, want %q", path, tt.in, got, tt.want)
				}
			}
		})
	}
}

func TestFormatRules(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path    string
		rule    string // that the bad values break
		good    string // values, separated by |
		bad     string
		noEmpty bool // the field is required
	}{
		"id is a UUID in lower case": {
			path: "id", rule: fault.Format, noEmpty: true,
			good: "00000000-0000-0000-0000-000000000000|0191d3a0-1234-7abc-8def-0123456789ab",
			bad:  "0191D3A0-1234-7abc-8def-0123456789ab|0191d3a012347abc8def0123456789ab|{0191d3a0-1234-7abc-8def-0123456789ab}|0191d3a0-1234-7abc-8def-0123456789a|0191d3a0-1234-7abc-8def-0123456789abc|0191d3a0-1234-7abc-8def-0123456789ag|7",
		},
		"kind is one of the list": {
			path: "kind", rule: fault.Format, noEmpty: true,
			good: "person|organisation| person ",
			bad:  "Person|PERSON|company|organization|persons",
		},
		"gender is one of the list": {
			path: "gender", rule: fault.Format,
			good: "male|female|nonBinary|notDisclosed",
			bad:  "Male|nonbinary|non-binary|other|m|unknown",
		},
		"locale is a language, a script and a region": {
			path: "locale", rule: fault.Format,
			good: "nl-BE|fr-BE|nb-NO|sv-SE|en-GB|fil-PH|zh-CN|nl|sr-Latn-RS|zh-Hant-TW|zh-Hans-CN|es-419|sr-Cyrl|sq-XK|en-001",
			bad:  "BE|nl_BE|nl-be|NL-BE|nl-BEL|nld-BE|nl-056|xq-BE|nl-ZZ|nl-UK|nl-BE-x-a|nl-|-BE|nl--BE|-|und|und-BE|zh-hant-TW|zh-HANT|sr-Xxxx-RS|es-999|en-Latn-Latn|de-1996",
		},
		"country is an ISO 3166-1 code": {
			path: "address.country", rule: fault.Format,
			good: "BE|NO|SE|NL|GB|DE|AX|SS|BQ|ZW|XK",
			bad:  "be|Be|B|BEL|056|UK|EU|ZZ|AA|AN|SU|DD|YU|AC|UN|XX|B1|ß|Belgium",
		},
		"phone has digits and separators": {
			path: "phone", rule: fault.Format,
			good: "112|1 1 2|+32 (0)2/555.12-34|(((1)))22|--1-2-3|1|call 112|+1 608 271 9000 x11|+1 608 271 9000 ext. 11|tel:+1-608-271-9000;ext=11|112#11|*112|1-800-FLOWERS|+47\u00a0900\u00a000\u00a0000|\u202a+47 900 00 000\u202c|90\u201100\u201300|٠١٢٣٤٥|０９０-１２３４|22 33 44 доб. 5|22334455 / 55443322",
			bad:  "+|.|four|1_12|112!|<112>|112\u00a9|1\t2|@1|112 \"a\"|☎ 112",
		},
		"mobile is like phone": {
			path: "mobile", rule: fault.Format,
			good: "112|+47 900 00 000",
			bad:  "four|112?",
		},
		"birth date is a calendar date": {
			path: "birthDate", rule: fault.Format,
			good: "2026-03-01|1800-01-01|1899-12-31|2024-02-29|2000-02-29|1904-02-29|2023-12-31",
			bad:  "2023-02-29|1900-02-29|2100-02-29|2024-02-30|2024-04-31|2024-13-01|2024-00-01|2024-01-00|2024-01-32|0000-01-01|-001-01-01|2024-1-1|24-01-01|10000-01-01|20240101|2024/01/01|01-02-2024|2024-01-01T00:00:00Z|2024-01-01Z|today|２０２４-01-01",
		},
		"names are any printable text": {
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
				wantRules(t, err, want, tt.path+" "+value)
			}
			for value := range strings.SplitSeq(tt.good, "|") {
				try(value, "")
			}
			invalid := tt.path + ":" + tt.rule
			for value := range strings.SplitSeq(tt.bad, "|") {
				if tt.bad != "" {
					try(value, invalid)
				}
			}
			if tt.noEmpty {
				try("", invalid)
			} else {
				try("", "")
			}
		})
	}
}

func TestBirthDateIsNotInFutureInAnyTimeZone(t *testing.T) {
	t.Parallel()
	kiritimati := time.FixedZone("UTC+14", 14*60*60)
	hawaii := time.FixedZone("UTC-10", -10*60*60)
	tests := map[string]struct {
		now       time.Time
		birthDate string
		want      string
	}{
		"today":                                {time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "2026-03-01", ""},
		"tomorrow, begun in the earliest zone": {time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), "2026-03-02", ""},
		"tomorrow, not begun anywhere":         {time.Date(2026, 3, 1, 9, 59, 59, 999, time.UTC), "2026-03-02", "birthDate:range"},
		"the day after tomorrow":               {time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC), "2026-03-03", "birthDate:range"},
		"a clock ahead of UTC, the same day":   {time.Date(2026, 3, 2, 0, 0, 0, 0, kiritimati), "2026-03-02", ""},
		"a clock ahead of UTC, the next day":   {time.Date(2026, 3, 2, 0, 0, 0, 0, kiritimati), "2026-03-03", "birthDate:range"},
		"a clock behind UTC, the same day":     {time.Date(2026, 2, 28, 23, 59, 0, 0, hawaii), "2026-03-01", ""},
		"a clock behind UTC, the next day":     {time.Date(2026, 3, 1, 0, 0, 0, 0, hawaii), "2026-03-02", ""},
		"a leap day, on the day":               {time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC), "2028-02-29", ""},
		"a leap day, two days before":          {time.Date(2028, 2, 27, 23, 0, 0, 0, time.UTC), "2028-02-29", "birthDate:range"},
		"an invalid date in the future":        {noon, "2999-02-30", "birthDate:format"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ada()
			c.BirthDate = tt.birthDate
			wantRules(t, c.Check(tt.now), tt.want, tt)
		})
	}
}

func TestEmptyDatesOfProgramsAreNamed(t *testing.T) {
	t.Parallel()
	for date, text := range map[string]string{
		"0001-01-01": "mean no date", "1753-01-01": "mean no date", "1799-12-31": "1800-01-01 or later", "1600-02-29": "1800-01-01 or later",
	} {
		c := ada()
		c.BirthDate = date
		err := c.Check(noon)
		wantRules(t, err, "birthDate:range", date)
		if f := fault.From(err); len(f.Fields) != 1 || !strings.Contains(f.Fields[0].Text, text) {
			t.Errorf("%s: got %+v, want a text with %q", date, f.Fields, text)
		}
	}
}

func TestAddressHasUpToFourLines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Storgata 1\nOppgang B":        "Storgata 1\nOppgang B",
		"Storgata 1\r\nOppgang B\r\n":  "Storgata 1\nOppgang B",
		"\nStorgata 1\n\nOppgang B\nC": "Storgata 1\n\nOppgang B\nC",
	} {
		c := ada()
		c.Address.Line = in
		if got := stored(t, c).Address.Line; got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{"a\nb\nc\nd\ne", "a\rb", "a\n\x00b"} {
		c := ada()
		c.Address.Line = in
		_, err := customer.Create(c, kari)
		wantRules(t, err, "address.line:format", in)
	}
}

func TestPhoneIsKeptWithoutInvisibleCharacters(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"\u202a+47 900\u200b 00 000\u202c": "+47 900 00 000",
		"+47\u00a0900\u202f00\u00a0000":    "+47 900 00 000",
		"900\u00ad00\u2060000":             "90000000",
		"090\u20111234":                    "090\u20111234",
		"٠١٢٣٤٥":                           "٠١٢٣٤٥",
	} {
		c := ada()
		c.Phone, c.Mobile = in, in
		if got := stored(t, c); got.Phone != want || got.Mobile != want {
			t.Errorf("%q: got %q and %q, want %q", in, got.Phone, got.Mobile, want)
		}
	}
}

func TestRequiredFieldsAndNumbers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*customer.Customer)
		want   string
	}{
		"a first name is enough":         {func(c *customer.Customer) { c.FirstName, c.LastName = "Ada", "" }, ""},
		"a last name is enough":          {func(c *customer.Customer) { c.FirstName = "" }, ""},
		"a name is required":             {func(c *customer.Customer) { c.LastName = "" }, "lastName:required"},
		"a blank name is empty":          {func(c *customer.Customer) { c.FirstName, c.LastName = " \t", "\u3000" }, "lastName:required"},
		"a name needs a letter or digit": {func(c *customer.Customer) { c.FirstName, c.LastName = "-", "\U0001f600" }, "lastName:required"},
		"a name can be a digit":          {func(c *customer.Customer) { c.FirstName, c.LastName = "", "3" }, ""},
		"an organisation requires one":   {func(c *customer.Customer) { c.Kind, c.LastName = customer.Organisation, "" }, "lastName:required"},
		"number is 1":                    {func(c *customer.Customer) { c.Number = 1 }, ""},
		"number is the maximum":          {func(c *customer.Customer) { c.Number = 1<<31 - 1 }, ""},
		"number is not 0":                {func(c *customer.Customer) { c.Number = 0 }, "number:range"},
		"number is not negative":         {func(c *customer.Customer) { c.Number = -1 }, "number:range"},
		"box number is 0":                {func(c *customer.Customer) { c.Address.POBox = customer.POBox{Valid: true} }, ""},
		"box number is not negative":     {func(c *customer.Customer) { c.Address.POBox = customer.POBox{Valid: true, Number: -1} }, "address.poBox:range"},
		"an invalid box is ignored":      {func(c *customer.Customer) { c.Address.POBox = customer.POBox{Number: -1} }, ""},
		"confirmed in year 9999":         {func(c *customer.Customer) { c.ConfirmedAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }, ""},
		"confirmed in year 10000 in UTC": {
			func(c *customer.Customer) {
				c.ConfirmedAt = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -60))
			}, "confirmedAt:range",
		},
		"confirmed before year 1":          {func(c *customer.Customer) { c.ConfirmedAt = time.Time{}.Add(-1) }, "confirmedAt:range"},
		"e-mail is checked":                {func(c *customer.Customer) { c.Email = "ada" }, "email:format"},
		"a long e-mail has only one fault": {func(c *customer.Customer) { c.Email = strings.Repeat("a", 255) }, "email:length"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := ada()
			tt.change(&c)
			_, err := customer.Create(c, kari)
			wantRules(t, err, tt.want, c)
		})
	}
}

func TestCountriesHas250Codes(t *testing.T) {
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
	if n != 250 {
		t.Errorf("countries: got %d, want 250", n)
	}
}

func TestCheckReportsAllFaultsInRecordOrder(t *testing.T) {
	t.Parallel()
	c := customer.Customer{ID: "ID-7771", Number: -7772, Kind: "kind-7773", Address: customer.Address{POBox: customer.POBox{Valid: true, Number: -7774}}}
	var want []string
	paths := []string{"id", "number"}
	for _, f := range customer.Fields() {
		if f.Type == customer.TypeText || f.Type == customer.TypeInteger {
			paths = append(paths, f.Path)
		}
	}
	for _, path := range paths {
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
	wantRules(t, err, strings.Join(want, " "), c)
	for _, secret := range []string{"zyx", "777"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the fault has the value %q: %v", secret, err)
		}
	}
}

func TestInvalidCharactersAreReportedOnce(t *testing.T) {
	t.Parallel()
	c := ada()
	c.Email, c.Phone, c.BirthDate = "a\x00", "\x01", "2024-01-01\x00"
	wantRules(t, c.Check(noon), "birthDate:format email:format phone:format", c)
}

func TestNeedsConfirmationAfterDuration(t *testing.T) {
	t.Parallel()
	year := 8760 * time.Hour
	tests := map[string]struct {
		confirmed time.Time
		want      bool
	}{
		"never confirmed":            {time.Time{}, true},
		"confirmed now":              {noon, false},
		"confirmed just as long ago": {noon.Add(-year), false},
		"confirmed longer ago":       {noon.Add(-year - 1), true},
		"confirmed in the future":    {noon.Add(time.Minute), false},
	}
	for name, tt := range tests {
		c := ada()
		c.ConfirmedAt = tt.confirmed
		if got := c.NeedsConfirmation(noon, year); got != tt.want {
			t.Errorf("%s at %v: got %v, want %v", name, tt.confirmed, got, tt.want)
		}
	}
}
