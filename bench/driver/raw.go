package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"
)

// A rawConn is one HTTP/1.1 connection, kept open. It sends requests that were
// made beforehand, and parses no more of an answer than its status and length.
type rawConn struct {
	net.Conn
	buffer []byte
	rest   []byte // of buffer: received, not yet parsed
}

// dial takes a nil trust for a server without TLS.
func dial(address string, trust *tls.Config) (*rawConn, error) {
	var conn net.Conn
	var err error
	if trust == nil {
		conn, err = net.Dial("tcp", address)
	} else {
		conn, err = tls.Dial("tcp", address, trust)
	}
	if err != nil {
		return nil, err
	}
	return &rawConn{Conn: conn, buffer: make([]byte, 256<<10)}, nil
}

func (c *rawConn) exchange(r request, b *body) (transfer, error) {
	start := time.Now()
	// Without TLS, a small body goes with the head, as from Go's client.
	buffers := net.Buffers{r.raw}
	if b != nil {
		buffers = append(buffers, b.bytes)
	}
	if _, err := buffers.WriteTo(c.Conn); err != nil {
		return transfer{}, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	status, length, err := c.head()
	if err != nil {
		return transfer{}, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	firstByte := time.Since(start)
	if length >= 0 {
		err = c.discard(length)
	} else {
		length, err = c.discardChunks()
	}
	if err != nil {
		return transfer{}, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	return transfer{length, firstByte}, checkAnswer(r, status, length)
}

// head reads an answer's head. A length of -1 stands for chunks.
func (c *rawConn) head() (status int, length int64, err error) {
	end := bytes.Index(c.rest, []byte("\r\n\r\n"))
	for end < 0 {
		if err := c.more(); err != nil {
			return 0, 0, err
		}
		end = bytes.Index(c.rest, []byte("\r\n\r\n"))
	}
	head := c.rest[:end]
	c.rest = c.rest[end+4:]
	if len(head) < 12 {
		return 0, 0, fmt.Errorf("not an HTTP answer: %q", head)
	}
	if status, err = strconv.Atoi(string(head[9:12])); err != nil {
		return 0, 0, err
	}
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(": "))
		if len(name) == len("content-length") && bytes.EqualFold(name, []byte("content-length")) {
			length, err = strconv.ParseInt(string(value), 10, 64)
			return status, length, err
		}
		if len(name) == len("transfer-encoding") && bytes.EqualFold(name, []byte("transfer-encoding")) {
			return status, -1, nil
		}
	}
	return 0, 0, fmt.Errorf("an answer without a length: %q", head)
}

func (c *rawConn) discard(n int64) error {
	for n > int64(len(c.rest)) {
		n -= int64(len(c.rest))
		c.rest = nil
		if err := c.more(); err != nil {
			return err
		}
	}
	c.rest = c.rest[n:]
	return nil
}

func (c *rawConn) discardChunks() (total int64, err error) {
	for {
		line, err := c.line()
		if err != nil {
			return 0, err
		}
		size, err := strconv.ParseInt(string(line), 16, 64)
		if err != nil {
			return 0, err
		}
		// A line break follows each chunk.
		if err := c.discard(size + 2); err != nil {
			return 0, err
		}
		if size == 0 {
			return total, nil
		}
		total += size
	}
}

func (c *rawConn) line() ([]byte, error) {
	for {
		if end := bytes.Index(c.rest, []byte("\r\n")); end >= 0 {
			line := c.rest[:end]
			c.rest = c.rest[end+2:]
			return line, nil
		}
		if err := c.more(); err != nil {
			return nil, err
		}
	}
}

// more receives, and keeps what isn't parsed yet.
func (c *rawConn) more() error {
	kept := copy(c.buffer, c.rest)
	n, err := c.Read(c.buffer[kept:])
	c.rest = c.buffer[:kept+n]
	if n > 0 {
		return nil
	}
	return err
}
