package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	grpcstorage "github.com/PlakarKorp/integration-grpc/storage"
	"github.com/PlakarKorp/kloset/connectors/storage"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Stores over plakar's gRPC storage protocol, with plakar's own client of it:
// grpc://HOST:PORT/STORE over TCP, and plugin://LOCATION by the plugin that
// the environment variable KLOSET_PLUGIN names, over its stdin and stdout.
func init() {
	storage.Register("grpc", 0, overTCP)
	storage.Register("plugin", 0, overPipes)
}

// grpcStore is a store and the connection that it alone uses.
type grpcStore struct {
	storage.Store
	conn *grpc.ClientConn
	end  func() error
}

func (s *grpcStore) Close(ctx context.Context) error {
	err := s.Store.Close(ctx)
	s.conn.Close()
	if endErr := s.end(); err == nil {
		err = endErr
	}
	return err
}

func overTCP(ctx context.Context, proto string, config map[string]string) (storage.Store, error) {
	location, err := url.Parse(config["location"])
	if err != nil {
		return nil, err
	}
	var options []grpc.DialOption
	if token := config["auth_token"]; token != "" {
		options = append(options, grpc.WithPerRPCCredentials(bearer(token)))
	}
	return open(ctx, proto, config, "passthrough:///"+location.Host, func() error { return nil }, options...)
}

// bearer is a token that goes with every call, as metadata.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

func overPipes(ctx context.Context, proto string, config map[string]string) (storage.Store, error) {
	location := strings.TrimPrefix(config["location"], proto+"://")
	command := exec.Command(os.Getenv("KLOSET_PLUGIN"))
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	end := func() error {
		in.Close()
		select {
		case err := <-ended:
			return err
		case <-time.After(10 * time.Second):
			command.Process.Kill()
			return fmt.Errorf("the plugin goes on after its pipe was closed")
		}
	}
	scheme, _, _ := strings.Cut(location, "://")
	dialer := grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
		return &pipes{Reader: out, WriteCloser: in}, nil
	})
	store, err := open(ctx, scheme, with(config, "location", location), "passthrough:///plugin", end, dialer)
	if err != nil {
		end()
	}
	return store, err
}

func open(ctx context.Context, proto string, config map[string]string, target string, end func() error, options ...grpc.DialOption) (storage.Store, error) {
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(target, options...)
	if err != nil {
		return nil, err
	}
	store, err := grpcstorage.NewStorage(ctx, conn, proto, config)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &grpcStore{Store: store, conn: conn, end: end}, nil
}

func with(config map[string]string, key, value string) map[string]string {
	changed := map[string]string{key: value}
	for k, v := range config {
		if k != key {
			changed[k] = v
		}
	}
	return changed
}

// pipes is a connection made of a process's stdout and stdin.
type pipes struct {
	io.Reader
	io.WriteCloser
}

func (p *pipes) LocalAddr() net.Addr              { return pipeAddr{} }
func (p *pipes) RemoteAddr() net.Addr             { return pipeAddr{} }
func (p *pipes) SetDeadline(time.Time) error      { return nil }
func (p *pipes) SetReadDeadline(time.Time) error  { return nil }
func (p *pipes) SetWriteDeadline(time.Time) error { return nil }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
