package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/PlakarKorp/kloset/connectors/importer"
	"github.com/PlakarKorp/kloset/connectors/storage"
	"github.com/PlakarKorp/kloset/locate"
	"github.com/PlakarKorp/kloset/objects"
	"github.com/PlakarKorp/kloset/repository"
	"github.com/PlakarKorp/kloset/snapshot"
	"github.com/PlakarKorp/kloset/snapshot/vfs"
)

type backupResult struct {
	Snapshot  objects.MAC `json:"snapshot"`
	Files     uint64      `json:"files"`
	Size      uint64      `json:"size"`
	Errors    uint64      `json:"errors"`              // files that couldn't be read
	LockError string      `json:"lockError,omitempty"` // why its own lock stayed behind
}

func backupCommand(flags *flag.FlagSet) command {
	var p pace
	flags.DurationVar(&p.checkpoint, "checkpoint", 0, "put a state this often, instead of every hour")
	flags.DurationVar(&p.pause, "pause", 0, "wait before each file")
	flags.BoolVar(&p.hang, "hang", false, "stop for ever after the last file")
	return func(c *client, args []string) (any, error) {
		return c.backup(args[0], p)
	}
}

// backup makes a snapshot of a folder the way plakar's backup command does.
func (c *client) backup(dir string, p pace) (any, error) {
	store, config, err := c.openStore()
	if err != nil {
		return nil, err
	}
	// A backup's lock has the name of its snapshot.
	id := objects.RandomMAC()
	watched := &lockWatcher{Store: store, lock: id, deleted: make(chan error, 1)}
	repo, err := c.loadRepository(watched, config)
	if err != nil {
		return nil, err
	}
	return c.snapshot(repo, watched, dir, p)
}

func (c *client) snapshot(repo *repository.Repository, watched *lockWatcher, dir string, p pace) (result backupResult, err error) {
	imp, err := importer.NewImporter(c.ctx, c.options(), map[string]string{"location": dir})
	if err != nil {
		return result, err
	}
	defer imp.Close(c.ctx)
	source, err := snapshot.NewSource(c.ctx, paced(imp, p))
	if err != nil {
		return result, err
	}

	// Set, it would have the builder take no lock.
	os.Unsetenv("PLAKAR_LOCKLESS")
	builder, err := snapshot.Create(repo, repository.DefaultType, c.workDir, watched.lock, &snapshot.BuilderOptions{})
	if err != nil {
		return result, err
	}
	defer func() {
		builder.Close()
		// The builder deletes its lock in the background.
		if lockErr := <-watched.deleted; lockErr != nil {
			result.LockError = strings.TrimSpace(lockErr.Error())
		}
	}()
	if p.checkpoint > 0 {
		checkpointEvery(builder, p.checkpoint)
	}

	parent, err := c.parent(repo, source)
	if err != nil {
		return result, err
	}
	builder.WithVFSCache(parent)

	if err := builder.Backup(source); err != nil {
		return result, fmt.Errorf("failed to backup source: %w", err)
	}
	if err := builder.Commit(); err != nil {
		return result, fmt.Errorf("failed to commit snapshot: %w", err)
	}
	// The builder doesn't return the error of a packfile that couldn't be put,
	// it cancels the context with it.
	if err := context.Cause(c.ctx.Context); err != nil {
		return result, err
	}

	summary := builder.Header.GetSource(0).Summary
	return backupResult{
		Snapshot: builder.Header.Identifier,
		Files:    summary.Directory.Files + summary.Below.Files,
		Size:     summary.Directory.Size + summary.Below.Size,
		Errors:   summary.Directory.Errors + summary.Below.Errors,
	}, nil
}

// parent finds the tree of the latest snapshot of the same source, against
// which unchanged files are recognised. There may be none.
func (c *client) parent(repo *repository.Repository, source *snapshot.Source) (*vfs.Filesystem, error) {
	matches, _, err := locate.Match(repo, &locate.LocateOptions{
		Filters: locate.LocateFilters{
			Latest:  true,
			Roots:   []string{source.Root()},
			Types:   []string{source.Type()},
			Origins: []string{source.Origin()},
		},
	})
	if err != nil || len(matches) == 0 {
		return nil, err
	}
	snap, err := snapshot.Load(repo, matches[0])
	if err != nil {
		return nil, err
	}
	return snap.FilesystemWithCache()
}

// A lockWatcher tells when, and with what outcome, a lock was deleted.
type lockWatcher struct {
	storage.Store
	lock    objects.MAC
	deleted chan error
}

func (w *lockWatcher) Delete(ctx context.Context, kind storage.StorageResource, mac objects.MAC) error {
	err := w.Store.Delete(ctx, kind, mac)
	if kind == storage.StorageResourceLock && mac == w.lock {
		select {
		case w.deleted <- err:
		default: // already told
		}
	}
	return err
}
