package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/PlakarKorp/kloset/caching"
	"github.com/PlakarKorp/kloset/caching/pebble"
	"github.com/PlakarKorp/kloset/connectors"
	"github.com/PlakarKorp/kloset/connectors/storage"
	"github.com/PlakarKorp/kloset/encryption"
	"github.com/PlakarKorp/kloset/kcontext"
	"github.com/PlakarKorp/kloset/logging"
	"github.com/PlakarKorp/kloset/repository"

	_ "github.com/PlakarKorp/integrations/fs/exporter"
	_ "github.com/PlakarKorp/integrations/fs/importer"
	_ "github.com/PlakarKorp/integrations/fs/storage"
	_ "github.com/PlakarKorp/integrations/http/storage"
)

// limitRequests makes HTTP requests as plakar 1.1.5 and later do: they have a
// limit of time in all, and follow no redirect to another host. The connector
// uses the default client.
func limitRequests(timeout time.Duration) {
	http.DefaultClient.Timeout = timeout
	http.DefaultClient.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if req.URL.Host != via[0].URL.Host {
			return fmt.Errorf("refusing a redirect to another host: %s", req.URL.Host)
		}
		return nil
	}
}

// A client is one run of the program against one store.
type client struct {
	ctx        *kcontext.KContext
	config     map[string]string // of the store, as the connectors take it
	passphrase string

	// workDir holds the caches and the packfiles being built. It lasts for one
	// run, so no run can read from a cache what the store should have served.
	workDir string
}

func newClient(location, authToken, passphrase string) (*client, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	workDir, err := os.MkdirTemp("", "klosetclient-*")
	if err != nil {
		return nil, err
	}

	ctx := kcontext.NewKContext()
	ctx.Client = "klosetclient"
	ctx.Hostname = hostname
	ctx.OperatingSystem = runtime.GOOS
	ctx.Architecture = runtime.GOARCH
	ctx.ProcessID = os.Getpid()
	ctx.CWD = cwd
	// At least four, so that requests overlap on the smallest machine too.
	ctx.MaxConcurrency = max(4, runtime.NumCPU())
	ctx.CacheDir = filepath.Join(workDir, "cache")
	ctx.SetCache(caching.NewManager(pebble.Constructor(ctx.CacheDir)))
	// Standard output is for the result alone.
	ctx.Stdout = os.Stderr
	ctx.SetLogger(logging.NewLogger(os.Stderr, os.Stderr))

	config := map[string]string{"location": location}
	if authToken != "" {
		config["auth_token"] = authToken
	}
	return &client{ctx: ctx, config: config, passphrase: passphrase, workDir: workDir}, nil
}

func (c *client) close() {
	c.ctx.GetCache().Close()
	os.RemoveAll(c.workDir)
}

// openStore opens the store for access to its objects as they are kept,
// without unlocking it.
func (c *client) openStore() (storage.Store, []byte, error) {
	store, err := storage.New(c.ctx, c.config)
	if err != nil {
		return nil, nil, err
	}
	config, err := store.Open(c.ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("failed to open the repository at %s: %w", c.config["location"], err)
	}
	return store, config, nil
}

// openRepository opens and unlocks the store and reads its states.
func (c *client) openRepository() (*repository.Repository, error) {
	store, config, err := c.openStore()
	if err != nil {
		return nil, err
	}
	return c.loadRepository(store, config)
}

func (c *client) loadRepository(store storage.Store, config []byte) (*repository.Repository, error) {
	key, err := c.unlock(config)
	if err != nil {
		return nil, err
	}
	repo, err := repository.New(c.ctx, key, store, config)
	if err != nil {
		return nil, err
	}
	// The copies would only serve a later run's cache.
	repo.NoStateToLocalDisk = true
	return repo, nil
}

// unlock derives the key of an encrypted store; that of a plaintext one is nil.
func (c *client) unlock(config []byte) ([]byte, error) {
	configuration, err := storage.NewConfigurationFromWrappedBytes(config)
	if err != nil {
		return nil, err
	}
	if configuration.Encryption == nil {
		return nil, nil
	}
	key, err := encryption.DeriveKey(configuration.Encryption.KDFParams, []byte(c.passphrase))
	if err != nil {
		return nil, err
	}
	if !encryption.VerifyCanary(configuration.Encryption, key) {
		return nil, errors.New("failed to unlock repository")
	}
	return key, nil
}

// options are those of the connectors that read and write local folders.
func (c *client) options() *connectors.Options {
	return &connectors.Options{
		Hostname:        c.ctx.Hostname,
		OperatingSystem: c.ctx.OperatingSystem,
		Architecture:    c.ctx.Architecture,
		CWD:             c.ctx.CWD,
		MaxConcurrency:  c.ctx.MaxConcurrency,
		Stdin:           c.ctx.Stdin,
		Stdout:          c.ctx.Stdout,
		Stderr:          c.ctx.Stderr,
	}
}
