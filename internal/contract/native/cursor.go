package native

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"kartotek/internal/fault"
)

// sealer makes cursors. A cursor tells where a page begins, which may be the name
// of a customer, and stands in a URL; so it is encrypted, and bound to the list
// that it was given out for.
type sealer struct{ aead cipher.AEAD }

// newSealer panics when there is no secret, which is a server wired wrongly.
func newSealer(secret []byte) sealer {
	if len(secret) < 16 {
		panic("native: the secret of cursors is too short")
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "kartotek native cursor", 32)
	if err != nil {
		panic(err) // the length is right
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the length is right
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the block is AES
	}
	return sealer{aead}
}

// listOf says what is paged through: of which tenant, and which part of it.
func listOf(tenant, what string, narrowed ...string) []byte {
	return fmt.Appendf(nil, "%q %q %q", tenant, what, narrowed)
}

// seal is a cursor into the list.
func (s sealer) seal(position string, list []byte) *string {
	return new(base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(position), list)))
}

// open reads the parameter "cursor", and is empty for the first page.
func (s sealer) open(q *query, list []byte) (position string) {
	text := q.values.Get("cursor")
	if text == "" {
		return ""
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err == nil {
		var opened []byte
		opened, err = s.aead.Open(nil, nil, sealed, list)
		position = string(opened)
	}
	q.need(err == nil, "cursor", fault.Format, "must be the next of a page of this same list, with the same parameters")
	return position
}
