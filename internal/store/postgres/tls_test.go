package postgres

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kartotek/internal/store/pgtest"
)

// TestTheAddressDecidesAboutTLS connects to a server that has a certificate of its
// own making.
func TestTheAddressDecidesAboutTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	server := pgtest.New(t, "fsync=off")
	server.WriteFile(t, "server.crt", cert)
	server.WriteFile(t, "server.key", key)
	if err := server.Execute(t.Context(), "postgres", "ALTER SYSTEM SET ssl = on"); err != nil {
		t.Fatal(err)
	}
	if err := server.Execute(t.Context(), "postgres", "SELECT pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "own.crt")
	if err := os.WriteFile(own, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	other, _ := certificate(t)
	wrong := filepath.Join(t.TempDir(), "wrong.crt")
	if err := os.WriteFile(wrong, other, 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?", server.Port())
	for settings, want := range map[string]string{
		"sslmode=verify-full&sslrootcert=" + own:   "true",
		"sslmode=disable":                          "false",
		"sslmode=verify-full&sslrootcert=" + wrong: "certificate signed by unknown authority",
		"sslmode=verify-full":                      "certificate signed by unknown authority",
	} {
		if got := encrypted(t, address+settings); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", settings, got, want)
		}
	}
}

// encrypted tells whether a store's connections are, or why there is none.
func encrypted(t *testing.T, dsn string) (told string) {
	t.Helper()
	s, err := Open(t.Context(), dsn, Options{})
	if err != nil {
		return err.Error()
	}
	defer s.Close()
	if err := s.pool.QueryRow(t.Context(), "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&told); err != nil {
		t.Fatal(err)
	}
	return told
}

// certificate makes one for the loopback interface, signed by itself.
func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},

		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}
