package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"time"
)

// closedLoop makes each client send its next request after a response, until the window ends.
// One thread serves all clients, as in wrk and pgbench: a goroutine per client would use twice
// the CPU time per request, on cores that the server shares.
func closedLoop(ctx context.Context, clients []*client, w window) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	defer syscall.Close(poll)
	for i, c := range clients {
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
		if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, int(c.conn.(socket)), &event); err != nil {
			return os.NewSyscallError("epoll_ctl", err)
		}
		if err := c.send(); err != nil {
			return err
		}
	}
	events := make([]syscall.EpollEvent, len(clients))
	for active, lastResponse := len(clients), time.Now(); active > 0; {
		n, err := syscall.EpollWait(poll, events, 100) // milliseconds
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && err != syscall.EINTR:
			return os.NewSyscallError("epoll_wait", err)
		case n > 0:
			lastResponse = time.Now()
		case time.Since(lastResponse) > responseTimeout:
			return errors.New("no response in time")
		}
		for _, event := range events[:max(n, 0)] {
			more, err := clients[event.Fd].continueLoop(w)
			if err != nil {
				return err
			}
			if !more {
				active--
			}
		}
	}
	return nil
}

// continueLoop reads a response and sends the next request unless the window has ended.
func (c *client) continueLoop(w window) (more bool, err error) {
	if _, err := c.responses.read(); err != nil {
		return false, err
	}
	done := time.Now()
	if w.contains(done) {
		c.latencies.add(done.Sub(c.sentAt))
	}
	if !done.Before(w.end) {
		return false, nil
	}
	return true, c.send()
}

// send sends the next request.
func (c *client) send() error {
	c.sentAt = time.Now()
	if _, err := c.conn.Write(c.requests.next()); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	return nil
}

// socket is a TCP connection outside of Go's network poller.
type socket int

func dialSocket(address string) (s socket, err error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().Is4() {
		return -1, fmt.Errorf("must be an IPv4 address and a port: %q", address)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	defer func() {
		if err != nil {
			syscall.Close(fd)
		}
	}()
	limit := syscall.NsecToTimeval(responseTimeout.Nanoseconds())
	for _, option := range []int{syscall.SO_RCVTIMEO, syscall.SO_SNDTIMEO} {
		if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, option, &limit); err != nil {
			return -1, os.NewSyscallError("setsockopt", err)
		}
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return -1, os.NewSyscallError("setsockopt", err)
	}
	for {
		err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
		switch err {
		case syscall.EINTR, syscall.EALREADY: // the connection attempt continues
			time.Sleep(time.Millisecond)
			continue
		case syscall.EISCONN:
			err = nil
		}
		return socket(fd), os.NewSyscallError("connect", err)
	}
}

// Read implements io.Reader.
func (s socket) Read(b []byte) (n int, err error) {
	n, err = uninterrupted(func() (int, error) { return syscall.Read(int(s), b) })
	if err == nil && n == 0 {
		return 0, io.EOF
	}
	return max(n, 0), os.NewSyscallError("read", err)
}

// Write implements io.Writer.
func (s socket) Write(b []byte) (written int, err error) {
	for written < len(b) {
		n, err := uninterrupted(func() (int, error) { return syscall.Write(int(s), b[written:]) })
		if err != nil {
			return written, os.NewSyscallError("write", err)
		}
		written += n
	}
	return written, nil
}

// Close implements io.Closer.
func (s socket) Close() error { return os.NewSyscallError("close", syscall.Close(int(s))) }

// uninterrupted repeats a call that a signal interrupted. Go's runtime sends signals.
func uninterrupted(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); err != syscall.EINTR {
			return n, err
		}
	}
}
