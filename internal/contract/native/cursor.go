package native

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"

	"kartotek/internal/access"
	"kartotek/internal/fault"
)

// A cursor is the position where a page ends. It is encrypted, because it may contain personal data
// and is part of a URL, and it is valid only for the list that it was created for.
type cursorCodec struct{ aead cipher.AEAD }

// newCursorCodec panics when the secret is too short: the server is configured wrongly.
func newCursorCodec(secret []byte) cursorCodec {
	if len(secret) < 16 {
		panic("native: the cursor secret is too short")
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "kartotek native cursor", 32)
	if err != nil {
		panic(err) // cannot happen: the length is valid
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // cannot happen: the length is valid
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // cannot happen: the block is AES
	}
	return cursorCodec{aead}
}

// cursorScope identifies a list: the tenant, the name of the list and its filters.
func cursorScope(tenant, list string, filters ...string) []byte {
	return fmt.Appendf(nil, "%q %q %q", tenant, list, filters)
}

func (c cursorCodec) encode(position string, scope []byte) *string {
	return new(base64.RawURLEncoding.EncodeToString(c.aead.Seal(nil, nil, []byte(position), scope)))
}

// decode returns the position in the parameter "cursor". It is empty for the first page.
func (c cursorCodec) decode(q *query, scope []byte) (position string) {
	text := q.values.Get("cursor")
	if text == "" {
		return ""
	}
	encrypted, err := base64.RawURLEncoding.Strict().DecodeString(text)
	var plain []byte
	if err == nil {
		plain, err = c.aead.Open(nil, nil, encrypted, scope)
	}
	q.require(err == nil, "cursor", fault.Format, "must be the value of next in a page of the same list, with the same parameters")
	return string(plain)
}

// The number of items in a page.
const (
	maxPage     = 100
	defaultPage = 20
)

// pageBody is one page of a list. Next is a cursor, or null on the last page.
type pageBody[B any] struct {
	Items []B     `json:"items"`
	Next  *string `json:"next"`
}

// list describes a list for readPage. T is the type of an item, B its JSON body.
type list[T, B any] struct {
	name     string
	filters  []string                                                                // their values
	fetch    func(ctx context.Context, tenant, after string, limit int) ([]T, error) // items after a position
	position func(T) string
	body     func(T) B
}

// readPage returns the page that the parameters "cursor" and "limit" ask for.
func readPage[T, B any](h handler, r *http.Request, by access.Actor, q *query, l list[T, B]) (pageBody[B], error) {
	scope := cursorScope(by.Tenant, l.name, l.filters...)
	limit, after := q.limit(maxPage, defaultPage), h.cursors.decode(q, scope)
	if err := q.err(); err != nil {
		return pageBody[B]{}, err
	}
	items, err := l.fetch(r.Context(), by.Tenant, after, limit+1) // one more, to know whether there is a next page
	if err != nil {
		return pageBody[B]{}, err
	}
	var p pageBody[B]
	if len(items) > limit {
		items = items[:limit]
		p.Next = h.cursors.encode(l.position(items[limit-1]), scope)
	}
	for _, item := range items {
		p.Items = append(p.Items, l.body(item))
	}
	return p, nil
}

func writePage[T, B any](h handler, w http.ResponseWriter, r *http.Request, by access.Actor, l list[T, B]) error {
	p, err := readPage(h, r, by, parseQuery(r, "cursor", "limit"), l)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, p)
}
