package web

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// connectionLimit limits the open connections, each of which needs a file descriptor. A new connection
// beyond the limit replaces an idle one. If there is none, it is closed, with a 503 unless it is TLS.
type connectionLimit struct {
	max int // 0 means no limit

	mu   sync.Mutex
	open int
	idle map[net.Conn]bool
}

func newConnectionLimit(limit int) *connectionLimit {
	return &connectionLimit{max: limit, idle: map[net.Conn]bool{}}
}

// track is the ConnState hook of the HTTP server.
func (l *connectionLimit) track(conn net.Conn, state http.ConnState) {
	if toClose := l.count(conn, state); toClose != nil {
		if _, plain := toClose.(*net.TCPConn); plain && toClose == conn {
			_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = conn.Write([]byte(tooManyConnections))
		}
		_ = toClose.Close() // the server then reports StateClosed
	}
}

// count updates the counters and returns the connection to close, if any.
func (l *connectionLimit) count(conn net.Conn, state http.ConnState) (toClose net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch state {
	case http.StateNew:
		l.open++
		if l.max == 0 || l.open <= l.max {
			return nil
		}
		for other := range l.idle {
			delete(l.idle, other)
			return other
		}
		return conn
	case http.StateIdle:
		l.idle[conn] = true
	case http.StateActive:
		delete(l.idle, conn)
	case http.StateClosed, http.StateHijacked:
		delete(l.idle, conn)
		l.open--
	}
	return nil
}

const tooManyConnections = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
