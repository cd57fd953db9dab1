package samples_test

import (
	"fmt"
	"go/format"
	"slices"
	"strings"
	"testing"

	"kartotek/internal/portal/samples"
)

func TestLanguagesAreThoseOfTheLochtingPage(t *testing.T) {
	t.Parallel()
	want := []string{
		"csharp", "csharp", "curl", "dart", "go", "http", "java", "javascript", "kotlin", "c", "nodejs",
		"objective-c", "ocaml", "php", "powershell", "python", "r", "ruby", "rust", "shell", "swift",
	}
	var got []string
	labels := map[string]bool{}
	for _, s := range samples.All(samples.Request{Method: "GET", URL: "http://127.0.0.1/"}) {
		got = append(got, s.Lang)
		labels[s.Label] = true
	}
	if !slices.Equal(got, want) || len(labels) != len(want) {
		t.Errorf("languages: got %q with %d labels, want %q with one each", got, len(labels), want)
	}
}

// shapes has a request of every kind.
func shapes() map[string]samples.Request {
	all := map[string]samples.Request{}
	accept := samples.Header{Name: "Accept", Value: "application/json"}
	for name, credential := range map[string]samples.Credential{
		"none": samples.None, "basic": samples.Basic, "token": samples.Token, "bearer": samples.Bearer,
	} {
		get := samples.Request{Method: "GET", URL: "http://127.0.0.1:8080/v1/me", Credential: credential}
		all[name+" GET"] = get
		get.Headers = []samples.Header{accept}
		all[name+" GET with a header"] = get
		post := get
		post.Method, post.Headers = "POST", nil
		all[name+" POST without a body"] = post
		patch := post
		patch.Method, patch.Headers = "PATCH", []samples.Header{{Name: "Content-Type", Value: "application/merge-patch+json"}, accept}
		patch.Body = `{"firstName":"John","address":{"city":null,"poBox":10},"services":{}}`
		all[name+" PATCH"] = patch
	}
	return all
}

func TestSamplesHaveCleanLayout(t *testing.T) {
	t.Parallel()
	for name, r := range shapes() {
		for _, s := range samples.All(r) {
			report := func(what string) { t.Errorf("%s, %s: %s:\n%s", s.Label, name, what, s.Source) }
			if !strings.HasSuffix(s.Source, "\n") || strings.TrimSpace(s.Source)+"\n" != s.Source {
				report("blank lines around the sample, or no end of line")
			}
			if strings.Contains(s.Source, "\n\n\n") {
				report("two blank lines")
			}
			lines := strings.Split(s.Source, "\n")
			if slices.ContainsFunc(lines, func(line string) bool { return strings.TrimRight(line, " \t") != line }) {
				report("spaces at the end of a line")
			}
			if len(lines) > 60 {
				report(fmt.Sprintf("%d lines", len(lines)))
			}
			if slices.ContainsFunc(lines, func(line string) bool { return len(line) > 120 }) {
				report("a line of more than 120 bytes")
			}
		}
	}
}

func TestGoSampleIsFormatted(t *testing.T) {
	t.Parallel()
	for name, r := range shapes() {
		source := sources(r)["Go"]
		got, err := format.Source([]byte(source))
		if err != nil || string(got) != source {
			t.Errorf("%s: not formatted (%v):\n%s\nwant:\n%s", name, err, source, got)
		}
	}
}

func TestCredentialComesFromTheEnvironment(t *testing.T) {
	t.Parallel()
	variables := map[samples.Credential][]string{
		samples.None:   {},
		samples.Basic:  {"KARTOTEK_LOGIN", "KARTOTEK_PASSWORD"},
		samples.Token:  {"KARTOTEK_TOKEN"},
		samples.Bearer: {"KARTOTEK_KEY"},
	}
	for name, r := range shapes() {
		for _, s := range samples.All(r) {
			for credential, names := range variables {
				for _, variable := range names {
					if got, want := strings.Contains(s.Source, variable), credential == r.Credential; got != want {
						t.Errorf("%s, %s: has %s: got %t, want %t:\n%s", s.Label, name, variable, got, want, s.Source)
					}
				}
			}
		}
	}
}

func TestOnlyBodiesHaveContentType(t *testing.T) {
	t.Parallel()
	r := samples.Request{Method: "PATCH", URL: "http://127.0.0.1/", Body: "{}", Headers: []samples.Header{{Name: "content-type", Value: "text/json"}}}
	bare := r
	bare.Headers = nil
	empty := r
	empty.Body = ""
	for _, s := range samples.All(r) {
		if got := strings.Count(s.Source, "text/json"); got != 1 {
			t.Errorf("%s: got the type %d times, want once:\n%s", s.Label, got, s.Source)
		}
		if got := sources(bare)[s.Label]; !strings.Contains(got, "application/json") {
			t.Errorf("%s: a body without a type:\n%s", s.Label, got)
		}
		if got := sources(empty)[s.Label]; strings.Contains(got, "text/json") {
			t.Errorf("%s: a type without a body:\n%s", s.Label, got)
		}
	}
}

func TestBodyMustBeJSON(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic for a body that is not JSON")
		}
	}()
	samples.All(samples.Request{Method: "PATCH", URL: "http://127.0.0.1/", Body: "{"})
}

// sources returns the samples by label.
func sources(r samples.Request) map[string]string {
	all := map[string]string{}
	for _, s := range samples.All(r) {
		all[s.Label] = s.Source
	}
	return all
}
