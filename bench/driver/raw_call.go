package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	callID        = 1
	defaultWindow = 65535   // RFC 9113, 6.9.2
	callWindow    = 4 << 20 // bytes that the server may send before an update
	prefixBytes   = 5       // of a gRPC message: a flag and its length
)

// A rawCall is one gRPC call on its own connection that writes and parses
// frames directly, at a third of grpc-go's CPU time.
type rawCall struct {
	conn    net.Conn
	writer  *bufio.Writer
	framer  *http2.Framer
	unacked int // bytes received since the last window update

	writing sync.Mutex
	opened  *sync.Cond
	window  map[uint32]int64 // bytes that may still be sent on the connection and in the call
}

func startCall(address, method string) (*rawCall, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	c := &rawCall{conn: conn, writer: bufio.NewWriter(conn), window: map[uint32]int64{0: defaultWindow, callID: defaultWindow}}
	c.opened = sync.NewCond(&c.writing)
	c.framer = http2.NewFramer(c.writer, bufio.NewReaderSize(conn, 256<<10))
	c.framer.SetReuseFrames()
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)

	var head bytes.Buffer
	fields := hpack.NewEncoder(&head)
	for _, field := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: method},
		{Name: ":authority", Value: address},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "te", Value: "trailers"},
	} {
		fields.WriteField(field)
	}
	// The flush returns the error of any write before it.
	c.writer.WriteString(http2.ClientPreface)
	c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: callWindow})
	c.framer.WriteWindowUpdate(0, callWindow-defaultWindow)
	c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: callID, BlockFragment: head.Bytes(), EndHeaders: true})
	if err := c.writer.Flush(); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *rawCall) close() { c.conn.Close() }

// send sends messages, each as one frame, and ends the request.
func (c *rawCall) send(messages [][]byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	var frame []byte
	for i, message := range messages {
		frame = binary.BigEndian.AppendUint32(append(frame[:0], 0), uint32(len(message)))
		frame = append(frame, message...)
		size := int64(len(frame))
		for c.window[0] < size || c.window[callID] < size {
			if err := c.writer.Flush(); err != nil {
				return err
			}
			c.opened.Wait()
		}
		c.window[0] -= size
		c.window[callID] -= size
		if err := c.framer.WriteData(callID, i == len(messages)-1, frame); err != nil {
			return err
		}
	}
	return c.writer.Flush()
}

// receive passes each message to take, which must not keep it. It returns nil
// when the call has ended with status OK.
func (c *rawCall) receive(take func(message []byte) error) error {
	var kept []byte
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return err
		}
		switch frame := frame.(type) {
		case *http2.DataFrame:
			if kept, err = splitMessages(append(kept, frame.Data()...), take); err == nil {
				err = c.acknowledge(len(frame.Data()))
			}
		case *http2.SettingsFrame:
			err = c.settings(frame)
		case *http2.PingFrame:
			if !frame.IsAck() {
				err = c.answer(func() error { return c.framer.WritePing(true, frame.Data) })
			}
		case *http2.WindowUpdateFrame:
			c.open(frame.StreamID, int64(frame.Increment))
		case *http2.MetaHeadersFrame:
			if frame.StreamEnded() {
				return status(frame.Fields)
			}
		case *http2.RSTStreamFrame:
			return fmt.Errorf("the server reset the call: %v", frame.ErrCode)
		case *http2.GoAwayFrame:
			return fmt.Errorf("the server closed the connection: %v", frame.ErrCode)
		}
		if err != nil {
			return err
		}
	}
}

// splitMessages passes the complete messages to take, and returns the rest.
func splitMessages(bytes []byte, take func(message []byte) error) ([]byte, error) {
	rest := bytes
	for len(rest) >= prefixBytes {
		size := prefixBytes + int(binary.BigEndian.Uint32(rest[1:]))
		if len(rest) < size {
			break
		}
		if err := take(rest[prefixBytes:size]); err != nil {
			return nil, err
		}
		rest = rest[size:]
	}
	return bytes[:copy(bytes, rest)], nil
}

// acknowledge sends a window update for each quarter of the window received.
func (c *rawCall) acknowledge(size int) error {
	c.unacked += size
	if c.unacked < callWindow/4 {
		return nil
	}
	increment := uint32(c.unacked)
	c.unacked = 0
	return c.answer(func() error {
		c.framer.WriteWindowUpdate(0, increment)
		return c.framer.WriteWindowUpdate(callID, increment)
	})
}

func (c *rawCall) settings(frame *http2.SettingsFrame) error {
	if frame.IsAck() {
		return nil
	}
	if size, ok := frame.Value(http2.SettingInitialWindowSize); ok {
		c.open(callID, int64(size)-defaultWindow)
	}
	return c.answer(c.framer.WriteSettingsAck)
}

func (c *rawCall) open(window uint32, bytes int64) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.window[window] += bytes
	c.opened.Signal()
}

func (c *rawCall) answer(write func() error) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := write(); err != nil {
		return err
	}
	return c.writer.Flush()
}

// status returns the call's status, which its trailers have, as an error.
func status(trailers []hpack.HeaderField) error {
	values := map[string]string{}
	for _, field := range trailers {
		values[field.Name] = field.Value
	}
	if values["grpc-status"] != "0" {
		return fmt.Errorf("status %s: %s", values["grpc-status"], values["grpc-message"])
	}
	return nil
}
