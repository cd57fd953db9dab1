package web

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateFiles is a TLS certificate that is read again when its file changes.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu       sync.Mutex
	current  *tls.Certificate
	modified time.Time // of the file of the current certificate
	checked  time.Time
}

// checkInterval is how often the file is checked at most.
const checkInterval = time.Second

// openCertificate reads a certificate for the first time.
func openCertificate(cert, key string, log *slog.Logger) (*certificateFiles, error) {
	c := &certificateFiles{cert: cert, key: key, log: log}
	return c, c.read(time.Now())
}

// get implements tls.Config.GetCertificate. It keeps the last certificate that could be read.
func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= checkInterval {
		if err := c.read(now); err != nil {
			c.log.Error("the TLS certificate cannot be read again", "error", err)
		}
	}
	return c.current, nil
}

// read reads the certificate unless its file is that of the current one.
func (c *certificateFiles) read(now time.Time) error {
	c.checked = now
	info, err := os.Stat(c.cert)
	if err != nil || info.ModTime().Equal(c.modified) {
		return err
	}
	loaded, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	if now.After(loaded.Leaf.NotAfter) {
		c.log.Error("the TLS certificate has expired", "at", loaded.Leaf.NotAfter)
	}
	if c.current != nil {
		c.log.Info("the TLS certificate was read again")
	}
	c.current, c.modified = &loaded, info.ModTime()
	return nil
}
