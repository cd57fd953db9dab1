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

// resource is what a path leads to.
type resource struct {
	kind  string // in the log and the metrics
	serve web.Func
}

// rendered is a page of our own, which is rendered when it is first asked for.
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

// made is a file that is made when it is first asked for, and then kept compressed.
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

// file is something to send, compressed.
type file struct {
	mediaType string
	policy    string // Content-Security-Policy
	caching   string // Cache-Control
	tag       string // changes with the content
	size      int64
	open      func() (io.ReadCloser, error)
}

const (
	askAgain = "no-cache" // whether it has changed
	forEver  = "public, max-age=31536000, immutable"

	noPolicy = "default-src 'none'; frame-ancestors 'none'" // for what is no page
)

func compress(text []byte, mediaType, policy string) (file, error) {
	var b bytes.Buffer
	gz, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return file{}, err
	}
	_, _ = gz.Write(text) // a buffer takes all
	_ = gz.Close()        // and this as well
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

// send answers with the file as it is kept, or inflated for the rare client that does
// not take it so.
func (f file) send(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Security-Policy", f.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", f.caching)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", "W/"+f.tag) // weak: it is the same tag when the file is inflated
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

// acceptsGzip reports whether the client takes what is compressed (RFC 9110, section
// 12.5.3).
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
