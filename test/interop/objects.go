package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/PlakarKorp/kloset/connectors/storage"
	"github.com/PlakarKorp/kloset/objects"
	"github.com/PlakarKorp/kloset/repository"
)

var kinds = map[string]storage.StorageResource{
	"packfile":    storage.StorageResourcePackfile,
	"state":       storage.StorageResourceState,
	"lock":        storage.StorageResourceLock,
	"eccpackfile": storage.StorageResourceECCPackfile,
	"eccstate":    storage.StorageResourceECCState,
}

type objectInfo struct {
	MAC    objects.MAC `json:"mac"`
	Length int64       `json:"length"`
	SHA256 string      `json:"sha256,omitempty"`
}

// openObject opens the store and resolves the KIND and MAC arguments.
func (c *client) openObject(args []string) (store storage.Store, kind storage.StorageResource, mac objects.MAC, err error) {
	if kind, err = parseKind(args[0]); err != nil {
		return
	}
	if err = mac.ParseHex(args[1]); err != nil {
		return
	}
	store, _, err = c.openStore()
	return
}

func parseKind(name string) (storage.StorageResource, error) {
	kind, ok := kinds[name]
	if !ok {
		return kind, fmt.Errorf("unknown kind of object: %s", name)
	}
	return kind, nil
}

func (c *client) listObjects(args []string) (any, error) {
	kind, err := parseKind(args[0])
	if err != nil {
		return nil, err
	}
	store, _, err := c.openStore()
	if err != nil {
		return nil, err
	}
	macs, err := store.List(c.ctx, kind)
	if err != nil {
		return nil, err
	}
	return struct {
		MACs []objects.MAC `json:"macs"`
	}{append([]objects.MAC{}, macs...)}, nil
}

func getObjectCommand(flags *flag.FlagSet) command {
	var section *storage.Range
	flags.Func("range", "read only `OFFSET:LENGTH`", func(value string) error {
		section = &storage.Range{}
		_, err := fmt.Sscanf(value, "%d:%d", &section.Offset, &section.Length)
		return err
	})
	out := flags.String("out", "", "write the object's bytes to `FILE`")
	return func(c *client, args []string) (any, error) {
		return c.getObject(args, section, *out)
	}
}

func (c *client) getObject(args []string, section *storage.Range, out string) (any, error) {
	store, kind, mac, err := c.openObject(args)
	if err != nil {
		return nil, err
	}
	body, err := store.Get(c.ctx, kind, mac, section)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if out != "" {
		if err := os.WriteFile(out, data, 0o600); err != nil {
			return nil, err
		}
	}
	digest := sha256.Sum256(data)
	return objectInfo{mac, int64(len(data)), hex.EncodeToString(digest[:])}, nil
}

func (c *client) putObject(args []string) (any, error) {
	store, kind, mac, err := c.openObject(args)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(args[2])
	if err != nil {
		return nil, err
	}
	defer file.Close()
	n, err := store.Put(c.ctx, kind, mac, file)
	if err != nil {
		return nil, err
	}
	return objectInfo{MAC: mac, Length: n}, nil
}

func (c *client) deleteObject(args []string) (any, error) {
	store, kind, mac, err := c.openObject(args)
	if err != nil {
		return nil, err
	}
	if err := store.Delete(c.ctx, kind, mac); err != nil {
		return nil, err
	}
	return struct {
		Deleted objects.MAC `json:"deleted"`
	}{mac}, nil
}

func putLockCommand(flags *flag.FlagSet) command {
	age := flags.Duration("age", 0, "how long ago the lock was last refreshed")
	exclusive := flags.Bool("exclusive", false, "a lock as maintenance takes it, not one as a backup does")
	return func(c *client, _ []string) (any, error) {
		return c.putLock(*age, *exclusive)
	}
}

// putLock leaves a lock behind, as a client that crashed does.
func (c *client) putLock(age time.Duration, exclusive bool) (any, error) {
	repo, err := c.openRepository()
	if err != nil {
		return nil, err
	}
	lock := repository.NewSharedLock(c.ctx.Hostname)
	lock.Exclusive = exclusive
	lock.Timestamp = lock.Timestamp.Add(-age)
	var packed bytes.Buffer
	if err := lock.SerializeToStream(&packed); err != nil {
		return nil, err
	}
	mac := objects.RandomMAC()
	if _, err := repo.PutLock(mac, &packed); err != nil {
		return nil, err
	}
	return struct {
		MAC   objects.MAC `json:"mac"`
		Stale bool        `json:"stale"`
	}{mac, lock.IsStale()}, nil
}
