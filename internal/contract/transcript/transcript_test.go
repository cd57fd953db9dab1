package transcript_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"kartotek/internal/contract/transcript"
)

const phones = `# What came before.

# null leaves the phone
# as it is.
@ clock +1h
> PATCH /api/customers/42
> Authorization: Basic {kari:sommerregn}
> X-Token: $writer
> {"PhoneNumber":null}
< 200
< Etag: "1"
< {"PhoneNumber":"22334455"}

> GET /api/customers/42
< 401
> PATCH /api/customers/42
> Content-Type: text/plain
>
> not: a header
>
> ~"[" x 10000
< 400
< X-Brace: {a:b}
< {"Message":
<  "No."}
## An example.
> DELETE /api/customers/42
< 400
< []

> DELETE /api/customers/43
< 404
`

func TestParse(t *testing.T) {
	t.Parallel()
	type h = transcript.Header
	want := []transcript.Exchange{
		{
			Comment: "null leaves the phone as it is.",
			Request: transcript.Request{
				Method: "PATCH", Target: "/api/customers/42",
				Header: []h{{"Authorization", "Basic a2FyaTpzb21tZXJyZWdu"}, {"X-Token", "$writer"}},
				Body:   `{"PhoneNumber":null}`,
			},
			Response: transcript.Response{Status: 200, Header: []h{{"Etag", `"1"`}}, Body: `{"PhoneNumber":"22334455"}`},
		},
		{
			Comment:  "null leaves the phone as it is.",
			Request:  transcript.Request{Method: "GET", Target: "/api/customers/42"},
			Response: transcript.Response{Status: 401},
		},
		{
			Comment: "null leaves the phone as it is.",
			Request: transcript.Request{
				Method: "PATCH", Target: "/api/customers/42",
				Header: []h{{"Content-Type", "text/plain"}},
				Body:   "not: a header\n\n~\"[\" x 10000",
			},
			Response: transcript.Response{Status: 400, Header: []h{{"X-Brace", "{a:b}"}}, Body: "{\"Message\":\n \"No.\"}"},
		},
		{
			Comment:  "An example.",
			Example:  true,
			Request:  transcript.Request{Method: "DELETE", Target: "/api/customers/42"},
			Response: transcript.Response{Status: 400, Body: "[]"},
		},
		{
			Comment:  "An example.",
			Request:  transcript.Request{Method: "DELETE", Target: "/api/customers/43"},
			Response: transcript.Response{Status: 404},
		},
	}
	got, err := transcript.Parse(phones)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("want -, got +, %v:\n%s", err, diff)
	}
}

func TestWhatIsNoExchangeIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a request without an answer":  "> GET /\n",
		"an answer without a request":  "< 200\n",
		"a comment inside an exchange": "> GET /\n# Why?\n< 200\n",
		"an answer without a status":   "> GET /\n< Etag: \"1\"\n",
	} {
		if got, err := transcript.Parse(text); err == nil {
			t.Errorf("%s: got %v, want an error", name, got)
		}
	}
}

func TestVerbatim(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		"":                true,
		`{"a":"~"}`:       true,
		`~"\xef\xbb\xbf"`: false,
		"{\n~\"\\x00\"":   false,
	} {
		if got := (transcript.Request{Body: body}).Verbatim(); got != want {
			t.Errorf("%q: got %v, want %v", body, got, want)
		}
	}
}

func TestReadAllAndShown(t *testing.T) {
	t.Parallel()
	all, err := transcript.ReadAll(fstest.MapFS{
		"testdata/b.txt":      {Data: []byte("> GET /b\n< 200\n## B.\n> GET /b2\n< 404\n## C.\n> GET /b3\n< 404\n")},
		"testdata/a.txt":      {Data: []byte("> GET /a\n< 404\n\n> GET /a2\n< 200\n")},
		"testdata/script.sh":  {Data: []byte("> no\n")},
		"testdata/c/deep.txt": {Data: []byte("> GET /c\n< 200\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int][]string{200: {"/a2"}, 404: {"/b2", "/b3"}, 500: nil} {
		var got []string
		for _, e := range transcript.Examples(all, status) {
			got = append(got, e.Request.Target)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d: want -, got +:\n%s", status, diff)
		}
	}
	if _, err := transcript.ReadAll(fstest.MapFS{"a.txt": {Data: []byte("> GET /\n")}}); err == nil {
		t.Error("a transcript that cannot be read: got no error")
	}
}
