package access

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// argonParams are the cost parameters of argon2id. Each hash records its own, so that
// currentParams can change without invalidating existing hashes.
type argonParams struct {
	memory, passes uint32 // KiB, count
	lanes          uint8
}

// currentParams follow OWASP's recommendation: 19 MiB, two passes, one lane.
var currentParams = argonParams{memory: 19 * 1024, passes: 2, lanes: 1}

const (
	saltLen = 16
	hashLen = 32
)

// hashPassword hashes the password with a new salt and returns a PHC string.
func hashPassword(password string) string {
	salt := make([]byte, saltLen)
	rand.Read(salt) // never returns an error
	return currentParams.phc(salt, currentParams.hash(password, salt))
}

// dummyHash matches no password. An unknown login is verified against it so that it takes
// as long as a wrong password.
func dummyHash() string { return currentParams.phc(make([]byte, saltLen), make([]byte, hashLen)) }

// passwordMatches reports whether phc is a hash of password.
func passwordMatches(phc, password string) (bool, error) {
	p, salt, want, err := parsePHC(phc)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(p.hash(password, salt), want) == 1, nil
}

// hash normalizes the password to NFC first (RFC 8265, OpaqueString): keyboards differ in
// how they encode accents.
func (p argonParams) hash(password string, salt []byte) []byte {
	return argon2.IDKey(norm.NFC.Bytes([]byte(password)), salt, p.passes, p.memory, p.lanes, hashLen)
}

func (p argonParams) phc(salt, hash []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.lanes, b64(salt), b64(hash))
}

func parsePHC(phc string) (p argonParams, salt, hash []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, fmt.Errorf("password hash is not argon2id version %d", argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, nil, nil, fmt.Errorf("password hash parameters: %w", err)
	}
	if p.memory == 0 || p.passes == 0 || p.lanes == 0 { // argon2 panics on 0
		return p, nil, nil, errors.New("password hash parameters: one is 0")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, nil, nil, fmt.Errorf("password salt: %w", err)
	}
	if hash, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return p, nil, nil, fmt.Errorf("password hash: %w", err)
	}
	return p, salt, hash, nil
}
