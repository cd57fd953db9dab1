package portal

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"kartotek/internal/web"
	"kartotek/internal/web/page"
)

// resource is what a path serves.
type resource struct {
	kind  string // in the log and the metrics
	serve web.Func
}

// rendered is an HTML page that is rendered at its first request.
func rendered(kind string, render func() ([]byte, error)) resource {
	once := sync.OnceValues(render)
	return resource{kind, func(w http.ResponseWriter, r *http.Request) error {
		body, err := once()
		if err != nil {
			return err
		}
		return page.Send(w, r, http.StatusOK, body)
	}}
}

// made is a file that is generated at its first request and kept compressed.
func made(kind, mediaType, policy string, make func() ([]byte, error)) resource {
	once := sync.OnceValues(func() (file, error) {
		text, err := make()
		if err != nil {
			return file{}, err
		}
		return compress(text, mediaType, policy)
	})
	return resource{kind, func(w http.ResponseWriter, r *http.Request) error {
		f, err := once()
		if err != nil {
			return err
		}
		return f.send(w, r)
	}}
}

// file is a compressed response body with its headers.
type file struct {
	mediaType string
	policy    string // Content-Security-Policy
	caching   string // Cache-Control
	tag       string // changes with the content
	size      int64
	open      func() (io.ReadCloser, error)
}

const (
	askAgain = "no-cache" // revalidate with the ETag
	forEver  = "public, max-age=31536000, immutable"

	noPolicy = "default-src 'none'; frame-ancestors 'none'" // for files that are not pages
)

func compress(text []byte, mediaType, policy string) (file, error) {
	var b bytes.Buffer
	gz, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return file{}, err
	}
	_, _ = gz.Write(text) // never fails on a buffer
	_ = gz.Close()        // never fails on a buffer
	kept := bytes.Clone(b.Bytes())
	sum := sha256.Sum256(text)
	return file{
		mediaType: mediaType,
		policy:    policy,
		caching:   askAgain,
		tag:       `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`,
		size:      int64(len(kept)),
		open:      func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(kept)), nil },
	}, nil
}

// send writes the compressed file, or inflates it for a client that does not accept gzip.
func (f file) send(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Security-Policy", f.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", f.caching)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", "W/"+f.tag) // weak, because both encodings have the same tag
	if web.NotModified(r, f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	src, err := f.open()
	if err != nil {
		return err
	}
	defer src.Close()
	text := io.Reader(src)
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.FormatInt(f.size, 10))
	} else if text, err = gzip.NewReader(src); err != nil {
		return err
	}
	h.Set("Content-Type", f.mediaType)
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, text) // the caller is gone if this fails
	}
	return nil
}

// acceptsGzip reports whether the client accepts gzip (RFC 9110, section 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for item := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, weight, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		_, q, weighted := strings.Cut(weight, "=")
		value, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return !weighted || err == nil && value > 0
	}
	return false
}
