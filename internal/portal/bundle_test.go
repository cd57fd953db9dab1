package portal_test

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"kartotek/internal/portal"
)

func zipped(t *testing.T, text string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	if _, err := gz.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := gz.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

const manifest = `{
	"_part-1.js": {"file": "part-1.js"},
	"src/other.ts": {"file": "other-1.js"},
	"src/reference.ts": {"file": "reference-1.js", "css": ["reference-1.css"], "imports": ["_part-1.js"], "isEntry": true}
}`

// built is a bundle in the form that "make ui" writes.
func built(t *testing.T) fs.FS {
	return fstest.MapFS{
		"dist/README.md":                    {},
		"dist/reference/manifest.json":      {Data: []byte(manifest)},
		"dist/reference/reference-1.js.gz":  zipped(t, "script"),
		"dist/reference/reference-1.css.gz": zipped(t, "style"),
		"dist/reference/part-1.js.gz":       zipped(t, "part"),
	}
}

func TestBundleIsSentCompressedAndCachedForever(t *testing.T) {
	t.Parallel()
	mounts := portal.MountsFrom(portal.Settings{}, built(t))
	for name, text := range map[string]string{"reference-1.js": "script", "reference-1.css": "style", "part-1.js": "part"} {
		for accept, want := range map[string]string{"gzip": string(zipped(t, text).Data), "": text} {
			got := sendTo(t, mounts, http.MethodGet, "/docs/assets/"+name, "Accept-Encoding", accept)
			if got.Body.String() != want || got.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s, %q: got %q and %v", name, accept, got.Body, got.Header())
			}
		}
	}
}

func TestReferenceLoadsBundle(t *testing.T) {
	t.Parallel()
	s := portal.Settings{Contracts: contracts()}
	page := sendTo(t, portal.MountsFrom(s, built(t)), http.MethodGet, "/docs/elw")
	for _, want := range []string{
		`<script type="module" src="/docs/assets/reference-1.js">`,
		`<link rel="stylesheet" href="/docs/assets/reference-1.css">`,
		`<link rel="modulepreload" href="/docs/assets/part-1.js">`,
		`"document":"/docs/elw/openapi.json"`,
	} {
		if !strings.Contains(page.Body.String(), want) {
			t.Errorf("got %s, want %s in it", page.Body, want)
		}
	}
	if policy := page.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'; ") || !strings.Contains(policy, "connect-src 'self'; ") {
		t.Errorf("got the policy %s", policy)
	}
}

func TestReferenceFillsInDemoCredentials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"elw":      `"authentication":{"preferredSecurityScheme":"account","securitySchemes":{"account":{"password":"a-password","username":"a-login"}}}`,
		"lochting": `"authentication":{"preferredSecurityScheme":"token","securitySchemes":{"token":{"value":"a-key"}}}`,
		"native":   `"authentication":{"preferredSecurityScheme":"apiKey","securitySchemes":{"apiKey":{"token":"a-key"}}}`,
	} {
		for s, want := range map[portal.Credentials]string{demo.Credentials: want, {}: `"authentication":{}`} {
			mounts := portal.MountsFrom(portal.Settings{Contracts: contracts(), Demo: portal.Demo{Credentials: s}}, built(t))
			if got := sendTo(t, mounts, http.MethodGet, "/docs/"+name).Body.String(); !strings.Contains(got, want) {
				t.Errorf("%s: got %s, want %s in it", name, got, want)
			}
		}
	}
}

func TestPageWithoutBundleSaysHowToBuildIt(t *testing.T) {
	t.Parallel()
	mounts := portal.MountsFrom(portal.Settings{Contracts: contracts()}, fstest.MapFS{"dist/README.md": {}})
	got := sendTo(t, mounts, http.MethodGet, "/docs/elw")
	for _, want := range []string{"make run", "PATCH /api/customers/{customerId}", "/docs/elw/openapi.yaml"} {
		if !strings.Contains(got.Body.String(), want) || got.Code != http.StatusOK {
			t.Errorf("got status %d and %s, want %s in it", got.Code, got.Body, want)
		}
	}
}

func TestMalformedBundlePanics(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]fstest.MapFS{
		"no entry":        {"dist/reference/manifest.json": {Data: []byte(`{}`)}},
		"no JSON":         {"dist/reference/manifest.json": {Data: []byte(`x`)}},
		"an unknown type": {"dist/reference/manifest.json": {Data: []byte(manifest)}, "dist/reference/a.exe.gz": zipped(t, "")},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			portal.MountsFrom(portal.Settings{}, files)
		}()
	}
}
