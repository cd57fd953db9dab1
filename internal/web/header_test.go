package web_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kartotek/internal/web"
)

func TestIfMatchParsesVersions(t *testing.T) {
	t.Parallel()
	const malformed = "bad-request If-Match:format"
	tests := map[string]struct {
		headers []string
		want    string // versions, "any", or the fault
	}{
		"no header is no condition":             {nil, "any"},
		"a star is any version":                 {[]string{"*"}, "any"},
		"space may surround a star":             {[]string{" *\t"}, "any"},
		"one tag":                               {[]string{`"3"`}, "[3]"},
		"a list":                                {[]string{`"3", "4"`}, "[3 4]"},
		"a list without space":                  {[]string{`"3","4"`}, "[3 4]"},
		"a list with much space":                {[]string{" \"3\" \t,\t \"4\" "}, "[3 4]"},
		"several lines are one list":            {[]string{`"3"`, `"4", "5"`}, "[3 4 5]"},
		"empty elements are skipped":            {[]string{`"1",,"2"`}, "[1 2]"},
		"empty elements with space, too":        {[]string{`, ,"1" , , "2",`}, "[1 2]"},
		"an empty line is an empty element":     {[]string{"", `"1"`, ""}, "[1]"},
		"a list without tags matches none":      {[]string{","}, "[]"},
		"an empty header matches none":          {[]string{""}, "[]"},
		"nginx makes the tag weak":              {[]string{`W/"3"`}, "[3]"},
		"Apache appends the coding":             {[]string{`"3-gzip"`, `"4;gzip", W/"5-br"`}, "[3 4 5]"},
		"Jetty does, too":                       {[]string{`"3--gzip"`, `"4-df"`}, "[3 4]"},
		"another suffix makes a tag foreign":    {[]string{`"3-zip", "3gzip", "-gzip", "3-gzip-gzip"`}, "[]"},
		"a foreign tag matches none":            {[]string{`"abc"`}, "[]"},
		"a foreign tag among others is skipped": {[]string{`"abc", "4", ""`}, "[4]"},
		"a comma inside a tag is no separator":  {[]string{`"3,4"`}, "[]"},
		"a backslash escapes nothing":           {[]string{`"3\", "4"`}, "[4]"},
		"a sign makes a tag foreign":            {[]string{`"+3", "-0"`}, "[]"},
		"a leading zero makes a tag foreign":    {[]string{`"03"`}, "[]"},
		"space makes a tag foreign":             {[]string{`"3 ", " 3"`}, "[]"},
		"too big a number is foreign":           {[]string{`"9223372036854775808"`}, "[]"},
		"the biggest is not":                    {[]string{`"9223372036854775807"`}, "[9223372036854775807]"},
		"a bare number is malformed":            {[]string{`3`}, malformed},
		"an open tag is malformed":              {[]string{`"3`}, malformed},
		"an open tag later is malformed":        {[]string{`"3", "`}, malformed},
		"tags without a comma are malformed":    {[]string{`"3" "4"`}, malformed},
		"junk after a tag is malformed":         {[]string{`"3"x`}, malformed},
		"single quotes are malformed":           {[]string{`'3'`}, malformed},
		"a small w is malformed":                {[]string{`w/"3"`}, malformed},
		"half of a weak tag is malformed":       {[]string{`W/`}, malformed},
		"a space in a weak tag is malformed":    {[]string{`W/ "3"`}, malformed},
		"a star among tags is malformed":        {[]string{`*, "3"`}, malformed},
		"a star after tags is malformed":        {[]string{`"3"`, `*`}, malformed},
		"two stars are malformed":               {[]string{`*`, `*`}, malformed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPatch, "/", nil)
			r.Header["If-Match"] = tt.headers
			versions, conditional, err := web.IfMatch(r)
			got := "any"
			switch {
			case err != nil:
				got = faultString(err)
			case conditional:
				got = fmt.Sprint(versions)
			}
			if got != tt.want || !conditional && versions != nil {
				t.Errorf("IfMatch(%q): got %s, %v, want %s", tt.headers, got, versions, tt.want)
			}
		})
	}
}

func TestIfMatchAcceptsETag(t *testing.T) {
	t.Parallel()
	if got := web.ETag(12); got != `"12"` {
		t.Errorf(`ETag(12): got %s, want "12"`, got)
	}
	for _, version := range []int64{0, 1, 10, math.MaxInt64} {
		r := httptest.NewRequest(http.MethodPatch, "/", nil)
		r.Header.Set("If-Match", web.ETag(version))
		if got, _, err := web.IfMatch(r); err != nil || len(got) != 1 || got[0] != version {
			t.Errorf("IfMatch(ETag(%d)): got %v, %v", version, got, err)
		}
	}
}

func TestIfMatchAcceptsLongLists(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPatch, "/", nil)
	r.Header.Set("If-Match", strings.Repeat(` , "7"`, 100_000))
	if got, _, err := web.IfMatch(r); err != nil || len(got) != 100_000 {
		t.Errorf("IfMatch of 100,000 tags: got %d, %v", len(got), err)
	}
}

func TestPrefersParsesPreferHeaders(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		headers []string
		want    bool
	}{
		"not without a header":    {nil, false},
		"not in an empty header":  {[]string{""}, false},
		"alone":                   {[]string{"return=representation"}, true},
		"in any case of its name": {[]string{"Return=representation"}, true},
		"in quotes":               {[]string{`return="representation"`}, true},
		"with space":              {[]string{" return = representation "}, true},
		"with parameters":         {[]string{"return=representation; x=y"}, true},
		"after others":            {[]string{"respond-async, wait=10,return=representation"}, true},
		"in a later header":       {[]string{"wait=10", "return=representation"}, true},
		"not with another value":  {[]string{"return=minimal"}, false},
		"not without a value":     {[]string{"return"}, false},
		"not under another name":  {[]string{"returns=representation"}, false},
		"not as a parameter":      {[]string{"wait=10; return=representation"}, false},
		"in any case":             {[]string{"Return=REPRESENTATION"}, true},
		"first of two":            {[]string{"return=representation, return=minimal"}, true},
		"not second of two":       {[]string{"return=minimal", "return=representation"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPatch, "/", nil)
			r.Header["Prefer"] = tt.headers
			if got := web.Prefers(r, "return", "representation"); got != tt.want {
				t.Errorf("Prefers(%q): got %v, want %v", tt.headers, got, tt.want)
			}
		})
	}
}

func TestNotModifiedComparesTags(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		headers []string
		want    bool
	}{
		"no header":                      {nil, false},
		"the tag":                        {[]string{`"3"`}, true},
		"the tag, weak":                  {[]string{`W/"3"`}, true},
		"the tag of a compressed one":    {[]string{`"3-gzip"`}, true},
		"in a list":                      {[]string{`"1", W/"2" ,"3"`}, true},
		"in a second header":             {[]string{`"1"`, `"3"`}, true},
		"with empty elements":            {[]string{`,, "3"`}, true},
		"any":                            {[]string{" * "}, true},
		"another tag":                    {[]string{`"4"`}, false},
		"a tag that only begins alike":   {[]string{`"33"`}, false},
		"a comma in a tag":               {[]string{`"1,", "3"`}, true},
		"any among others is no tag":     {[]string{`"1", *`}, false},
		"no tag":                         {[]string{"3"}, false},
		"a tag without its end":          {[]string{`"3`}, false},
		"a tag after what cannot be one": {[]string{`x, "3"`}, false},
		"an empty header":                {[]string{""}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			for _, header := range tt.headers {
				r.Header.Add("If-None-Match", header)
			}
			if got := web.NotModified(r, web.ETag(3)); got != tt.want {
				t.Errorf("%q: got %v, want %v", tt.headers, got, tt.want)
			}
		})
	}
}

func TestConditionalHeadersOfChanges(t *testing.T) {
	t.Parallel()
	const date = "Fri, 02 Jan 2026 12:00:00 GMT"
	tests := map[string]struct {
		headers []string // pairs of name and value
		want    string   // versions and "never" of If-None-Match, the seconds of If-Unmodified-Since
	}{
		"none":                         {nil, "[] false -62135596800"},
		"If-None-Match: *":             {[]string{"If-None-Match", "*"}, "[] true -62135596800"},
		"If-None-Match with tags":      {[]string{"If-None-Match", `"3", W/"4"`, "If-None-Match", `"x"`}, "[3 4] false -62135596800"},
		"If-None-Match, malformed":     {[]string{"If-None-Match", "3"}, "[] false -62135596800"},
		"If-Unmodified-Since":          {[]string{"If-Unmodified-Since", date}, "[] false 1767355200"},
		"If-Unmodified-Since, no date": {[]string{"If-Unmodified-Since", "yesterday"}, "[] false -62135596800"},
		"If-Match overrules":           {[]string{"If-Unmodified-Since", date, "If-Match", "*"}, "[] false -62135596800"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPatch, "/", nil)
			for i := 0; i < len(tt.headers); i += 2 {
				r.Header.Add(tt.headers[i], tt.headers[i+1])
			}
			versions, never := web.IfNoneMatch(r)
			if got := fmt.Sprint(versions, never, web.IfUnmodifiedSince(r).Unix()); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
