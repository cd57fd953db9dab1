package web_test

import (
	"fmt"
	"strings"
	"testing"

	"kartotek/internal/fault"
	"kartotek/internal/web"
)

// format lists the members of an object as name=value, in order.
func format(members []web.Member) string {
	var all []string
	for _, m := range members {
		all = append(all, m.Name+"="+string(m.Value))
	}
	return strings.Join(all, " ")
}

func TestObjectReadsMembersInOrder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, want string }{
		"an empty object has none":           {`{}`, ""},
		"the order is the sender's":          {`{"z":1,"a":2,"m":3}`, "z=1 a=2 m=3"},
		"every kind is a value":              {`{"a":null,"b":true,"c":"x","d":-1.50e+3,"e":[1,2],"f":{"g":1}}`, `a=null b=true c="x" d=-1.50e+3 e=[1,2] f={"g":1}`},
		"space stays inside of values":       {" {\r\n\t\"a\" : [ 1 ,\n2 ] } \n", "a=[ 1 ,\n2 ]"},
		"escapes stay in values":             {`{"a":"\u00e5\n"}`, `a="\u00e5\n"`},
		"escapes do not stay in names":       {`{"\u00e5\/b":1}`, "å/b=1"},
		"names differ by case":               {`{"a":1,"A":2}`, "a=1 A=2"},
		"a name may be empty":                {`{"":1}`, "=1"},
		"big numbers are kept":               {`{"a":123456789012345678901234567890}`, "a=123456789012345678901234567890"},
		"a byte order mark is skipped":       {"\xef\xbb\xbf{\"a\":1}", "a=1"},
		"a surrogate pair is a character":    {`{"a":"\ud83d\ude00"}`, `a="\ud83d\ude00"`},
		"an escaped NUL is a character":      {`{"a":"\u0000"}`, `a="\u0000"`},
		"the same name may be deeper again":  {`{"a":{"a":{"a":1}},"b":{"a":2}}`, `a={"a":{"a":1}} b={"a":2}`},
		"other planes of Unicode are spared": {"{\"😀\":\"\U0010ffff\"}", "😀=\"\U0010ffff\""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := web.Object([]byte(tt.body))
			if err != nil || format(got) != tt.want {
				t.Errorf("Object(%s): got %s, %v, want %s", tt.body, format(got), err, tt.want)
			}
		})
	}
}

func TestObjectRejects(t *testing.T) {
	t.Parallel()
	const noObject, noJSON = "bad-request", "bad-request :format"
	tests := map[string]struct{ body, want string }{
		"nothing":                          {"", noObject},
		"only space":                       {" \r\n\t", noObject},
		"only a byte order mark":           {"\xef\xbb\xbf", noObject},
		"null":                             {"null", noObject},
		"an array":                         {`[{"a":1}]`, noObject},
		"a string":                         {`"{}"`, noObject},
		"a number":                         {"1", noObject},
		"a boolean":                        {" true ", noObject},
		"half an array":                    {`[{"a":1}`, noJSON},
		"half a literal":                   {"nul", noJSON},
		"a word":                           {"hello", noJSON},
		"space that is not JSON's":         {"\u00a0", noJSON},
		"a form":                           {"a=1&b=2", noJSON},
		"two byte order marks":             {"\xef\xbb\xbf\xef\xbb\xbf{}", noJSON},
		"a byte order mark later":          {"{\xef\xbb\xbf}", noJSON},
		"UTF-16":                           {"\xff\xfe{\x00}\x00", noJSON},
		"half an object":                   {`{"a":1`, noJSON},
		"half a member":                    {`{"a":`, noJSON},
		"half a name":                      {`{"a`, noJSON},
		"only a brace":                     {`{`, noJSON},
		"two objects":                      {`{}{}`, noJSON},
		"text after it":                    {`{"a":1} x`, noJSON},
		"a brace too many":                 {`{"a":1}}`, noJSON},
		"a NUL after it":                   {"{}\x00", noJSON},
		"a comma after the last":           {`{"a":1,}`, noJSON},
		"a comma before the first":         {`{,"a":1}`, noJSON},
		"no comma":                         {`{"a":1 "b":2}`, noJSON},
		"no colon":                         {`{"a" 1}`, noJSON},
		"a line comment":                   {"{\"a\":1} // one", noJSON},
		"a comment inside":                 {`{/* one */"a":1}`, noJSON},
		"single quotes":                    {`{'a':1}`, noJSON},
		"a name without quotes":            {`{a:1}`, noJSON},
		"a number as a name":               {`{1:1}`, noJSON},
		"NaN":                              {`{"a":NaN}`, noJSON},
		"a leading zero":                   {`{"a":01}`, noJSON},
		"a leading plus":                   {`{"a":+1}`, noJSON},
		"a bare point":                     {`{"a":1.}`, noJSON},
		"True":                             {`{"a":True}`, noJSON},
		"a line end in a string":           {"{\"a\":\"x\ny\"}", noJSON},
		"a NUL in a string":                {"{\"a\":\"\x00\"}", noJSON},
		"an escape that is none":           {`{"a":"\x41"}`, noJSON},
		"invalid UTF-8 in a value":         {"{\"a\":\"\xff\"}", noJSON},
		"invalid UTF-8 in a name":          {"{\"\xc3\":1}", noJSON},
		"invalid UTF-8 deeper down":        {"{\"a\":[{\"b\":\"\xed\xa0\x80\"}]}", noJSON},
		"a lone high surrogate":            {`{"a":"\ud800"}`, noJSON},
		"a lone low surrogate":             {`{"a":"\udc00x"}`, noJSON},
		"a lone surrogate in a name":       {`{"\ud800":1}`, noJSON},
		"a name twice":                     {`{"a":1,"b":2,"a":3}`, "bad-request a:duplicate"},
		"a name twice with the same value": {`{"a":1,"a":1}`, "bad-request a:duplicate"},
		"a name twice, once escaped":       {`{"a":1,"\u0061":2}`, "bad-request a:duplicate"},
		"the empty name twice":             {`{"":1,"":2}`, "bad-request :duplicate"},
		"a name twice deeper down":         {`{"x":1,"a":{"b":1,"c":{"d":1,"d":2}}}`, "bad-request a.c.d:duplicate"},
		"a name twice in an array":         {`{"a":[{},{"b":1,"b":2}]}`, "bad-request a.1.b:duplicate"},
		"a name with a slash twice":        {`{"a/b~c":1,"a/b~c":2}`, "bad-request a/b~c:duplicate"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := web.Object([]byte(tt.body))
			if got != nil || faultString(err) != tt.want {
				t.Errorf("Object(%q): got %s, %q, want %q", tt.body, format(got), faultString(err), tt.want)
			}
		})
	}
}

func TestObjectAcceptsTenThousandLevels(t *testing.T) {
	t.Parallel()
	for levels, want := range map[int]string{ // the object itself is one
		100: "", 10_000: "", 10_001: "bad-request :format", 1_000_000: "bad-request :format",
	} {
		for _, brackets := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
			inner := strings.Repeat(brackets[0], levels-2) + "[]" + strings.Repeat(brackets[1], levels-2)
			_, err := web.Object([]byte(`{"a":` + inner + `}`))
			if got := faultString(err); got != want {
				t.Errorf("%d levels of %s: got %q, want %q", levels, brackets[0], got, want)
			}
		}
	}
}

func TestObjectCopiesValues(t *testing.T) {
	t.Parallel()
	var body, want strings.Builder
	for i := range 500 {
		value := fmt.Sprintf(`"%d%s"`, i, strings.Repeat(string(rune('a'+i%26)), 17*i%4001))
		fmt.Fprintf(&body, `%c"n%d":%s`, "{,"[min(i, 1)], i, value)
		fmt.Fprintf(&want, "n%d=%s ", i, value)
	}
	body.WriteByte('}')
	got, err := web.Object([]byte(body.String()))
	if err != nil {
		t.Fatal(err)
	}
	if format(got) != strings.TrimSuffix(want.String(), " ") {
		t.Error("some of 500 long values were overwritten")
	}
}

func TestMemberNullAndText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value, text string
		isText      bool
		null        bool
	}{
		{`null`, "", false, true},
		{`"null"`, "null", true, false},
		{`""`, "", true, false},
		{`"\u00e5\n\ud83d\ude00\u0000\/"`, "å\n😀\x00/", true, false},
		{`"åæø"`, "åæø", true, false},
		{`0`, "", false, false},
		{`false`, "", false, false},
		{`["a"]`, "", false, false},
		{`{"a":null}`, "", false, false},
	}
	for _, tt := range tests {
		members, err := web.Object([]byte(`{"a": ` + tt.value + ` }`))
		if err != nil || len(members) != 1 {
			t.Fatalf("Object: got %s, %v, want one member", format(members), err)
		}
		m := members[0]
		if text, ok := m.Text(); text != tt.text || ok != tt.isText {
			t.Errorf("Text of %s: got %q, %v, want %q, %v", tt.value, text, ok, tt.text, tt.isText)
		}
		if m.Null() != tt.null {
			t.Errorf("Null of %s: got %v, want %v", tt.value, m.Null(), tt.null)
		}
	}
}

func TestObjectFaultsContainNoValues(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"a":"secret`, `secret`, `["secret"]`, `{"a":1,"a":"secret"}`, `{"a":secret}`, `{"a":"secret"} x`} {
		_, err := web.Object([]byte(body))
		if f := fault.From(err); f.Kind != fault.BadRequest || strings.Contains(fmt.Sprint(f, f.Fields), "secret") {
			t.Errorf("Object(%s): got %v, want a malformed fault without the value", body, f)
		}
	}
}
