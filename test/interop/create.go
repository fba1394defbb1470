package main

import (
	"bytes"
	"errors"
	"flag"
	"hash"
	"io"

	"github.com/PlakarKorp/kloset/connectors/storage"
	"github.com/PlakarKorp/kloset/encryption"
	"github.com/PlakarKorp/kloset/hashing"
	"github.com/PlakarKorp/kloset/resources"
	"github.com/PlakarKorp/kloset/versioning"
)

func createCommand(flags *flag.FlagSet) command {
	plaintext := flags.Bool("plaintext", false, "make a store that isn't encrypted")
	packfileSize := flags.Uint64("packfile-size", 0, "how large packfiles get, in bytes, instead of Kloset's default")
	algorithm := flags.String("hashing", "", "what MACs are made with, instead of Kloset's default")
	return func(c *client, _ []string) (any, error) {
		return c.create(*plaintext, *packfileSize, *algorithm)
	}
}

// create makes an empty store. The location must be local: over HTTP there is
// no request that makes one, and the connector would report success.
func (c *client) create(plaintext bool, packfileSize uint64, algorithm string) (any, error) {
	store, err := storage.New(c.ctx, c.config)
	if err != nil {
		return nil, err
	}
	if store.Type() != "fs" {
		return nil, errors.New("a store can only be created in a local folder")
	}

	configuration := storage.NewConfiguration()
	if packfileSize > 0 {
		configuration.Packfile.MaxSize = packfileSize
	}
	if algorithm != "" {
		hashingConfig, err := hashing.LookupDefaultConfiguration(algorithm)
		if err != nil {
			return nil, err
		}
		configuration.Hashing = *hashingConfig
	}
	hasher, err := c.protect(configuration, plaintext)
	if err != nil {
		return nil, err
	}
	packed, err := configuration.ToBytes()
	if err != nil {
		return nil, err
	}
	wrapped, err := storage.Serialize(hasher, resources.RT_CONFIG,
		versioning.GetCurrentVersion(resources.RT_CONFIG), bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	config, err := io.ReadAll(wrapped)
	if err != nil {
		return nil, err
	}
	if err := store.Create(c.ctx, config); err != nil {
		return nil, err
	}
	return struct {
		Repository string `json:"repository"`
		Encrypted  bool   `json:"encrypted"`
	}{configuration.RepositoryID.String(), configuration.Encryption != nil}, nil
}

// protect sets up the store's encryption and returns the hasher that
// authenticates its configuration.
func (c *client) protect(configuration *storage.Configuration, plaintext bool) (hash.Hash, error) {
	if plaintext {
		configuration.Encryption = nil
		return hashing.GetHasher(storage.DEFAULT_HASHING_ALGORITHM), nil
	}
	if c.passphrase == "" {
		return nil, errors.New("can't encrypt the repository with an empty passphrase")
	}
	key, err := encryption.DeriveKey(configuration.Encryption.KDFParams, []byte(c.passphrase))
	if err != nil {
		return nil, err
	}
	configuration.Encryption.Canary, err = encryption.DeriveCanary(configuration.Encryption, key)
	if err != nil {
		return nil, err
	}
	return hashing.GetMACHasher(storage.DEFAULT_HASHING_ALGORITHM, key), nil
}
