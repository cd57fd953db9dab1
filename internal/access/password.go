package access

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trustelem/zxcvbn/frequency"
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

// parsePHC is the inverse of phc. Its error does not contain the hash.
func parsePHC(phc string) (p argonParams, salt, hash []byte, err error) {
	var salt64, hash64 string
	format := fmt.Sprintf(" argon2id v=%d m=%%d,t=%%d,p=%%d %%s %%s", argon2.Version)
	_, err = fmt.Sscanf(strings.ReplaceAll(phc, "$", " "), format, &p.memory, &p.passes, &p.lanes, &salt64, &hash64)
	salt, errSalt := base64.RawStdEncoding.DecodeString(salt64)
	hash, errHash := base64.RawStdEncoding.DecodeString(hash64)
	zero := p.memory == 0 || p.passes == 0 || p.lanes == 0 // argon2 panics on 0
	if errors.Join(err, errSalt, errHash) != nil || zero || p.phc(salt, hash) != phc {
		return argonParams{}, nil, nil, errors.New("the stored password hash is malformed")
	}
	return p, salt, hash, nil
}

// isGuessable reports whether an attacker would try the password first.
func isGuessable(password, login string) bool {
	return strings.EqualFold(password, login) ||
		slices.Contains(frequency.FrequencyLists["passwords"], strings.ToLower(password))
}
