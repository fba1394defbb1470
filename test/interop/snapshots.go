package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/PlakarKorp/kloset/connectors"
	"github.com/PlakarKorp/kloset/connectors/exporter"
	"github.com/PlakarKorp/kloset/locate"
	"github.com/PlakarKorp/kloset/objects"
	"github.com/PlakarKorp/kloset/repository"
	"github.com/PlakarKorp/kloset/snapshot"
)

type snapshotInfo struct {
	Snapshot  objects.MAC `json:"snapshot"`
	Timestamp time.Time   `json:"timestamp"`
	Root      string      `json:"root"`
	Files     uint64      `json:"files"`
	Size      uint64      `json:"size"`
}

// load loads every snapshot, oldest first. Kloset's own search leaves out the
// snapshots it can't load; here that is an error.
func load(repo *repository.Repository) ([]*snapshot.Snapshot, error) {
	var snaps []*snapshot.Snapshot
	for id, err := range repo.ListSnapshots() {
		if err != nil {
			return nil, err
		}
		snap, err := snapshot.Load(repo, id)
		if err != nil {
			return nil, fmt.Errorf("snapshot %x: %w", id, err)
		}
		snaps = append(snaps, snap)
	}
	slices.SortFunc(snaps, func(a, b *snapshot.Snapshot) int {
		return a.Header.Timestamp.Compare(b.Header.Timestamp)
	})
	return snaps, nil
}

func (c *client) list([]string) (any, error) {
	repo, err := c.openRepository()
	if err != nil {
		return nil, err
	}
	snaps, err := load(repo)
	if err != nil {
		return nil, err
	}
	infos := make([]snapshotInfo, 0, len(snaps))
	for _, snap := range snaps {
		source := snap.Header.GetSource(0)
		infos = append(infos, snapshotInfo{
			Snapshot:  snap.Header.Identifier,
			Timestamp: snap.Header.Timestamp,
			Root:      source.Importer.Directory,
			Files:     source.Summary.Directory.Files + source.Summary.Below.Files,
			Size:      source.Summary.Directory.Size + source.Summary.Below.Size,
		})
	}
	return struct {
		Snapshots []snapshotInfo `json:"snapshots"`
	}{infos}, nil
}

// check reads and verifies all the data of one snapshot, or of every one.
func (c *client) check(args []string) (any, error) {
	repo, err := c.openRepository()
	if err != nil {
		return nil, err
	}
	var snaps []*snapshot.Snapshot
	if len(args) == 0 {
		snaps, err = load(repo)
	} else {
		var snap *snapshot.Snapshot
		snap, _, err = locate.OpenSnapshotByPath(repo, args[0])
		snaps = append(snaps, snap)
	}
	if err != nil {
		return nil, err
	}

	cache, err := c.ctx.GetCache().Check()
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	var failures []error
	for _, snap := range snaps {
		snap.SetCheckCache(cache)
		if err := snap.Check("/", &snapshot.CheckOptions{}); err != nil {
			failures = append(failures, fmt.Errorf("check failed for snapshot %x: %w", snap.Header.Identifier, err))
		}
	}
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	return struct {
		OK      bool `json:"ok"`
		Checked int  `json:"checked"`
	}{true, len(snaps)}, nil
}

// restore writes the files of a snapshot into a local folder.
func (c *client) restore(args []string) (any, error) {
	repo, err := c.openRepository()
	if err != nil {
		return nil, err
	}
	snap, root, err := locate.OpenSnapshotByPath(repo, args[0])
	if err != nil {
		return nil, err
	}
	exp, err := exporter.NewExporter(c.ctx, c.options(), map[string]string{"location": args[1]})
	if err != nil {
		return nil, err
	}
	defer exp.Close(c.ctx)

	counted := &countingExporter{Exporter: exp}
	if err := snap.Export(counted, root, &snapshot.ExportOptions{}); err != nil {
		return nil, err
	}
	// An export that can't walk the snapshot's tree to its end stops there,
	// without an error.
	summary := snap.Header.GetSource(0).Summary
	if want := summary.Directory.Files + summary.Below.Files; counted.files != want {
		return nil, fmt.Errorf("restored %d of %d files", counted.files, want)
	}
	return struct {
		Snapshot objects.MAC `json:"snapshot"`
		Files    uint64      `json:"files"`
	}{snap.Header.Identifier, counted.files}, nil
}

// A countingExporter counts the files that were written and returns the errors
// of those that weren't, which an export otherwise only sends as events.
type countingExporter struct {
	exporter.Exporter
	files uint64
}

func (e *countingExporter) Export(ctx context.Context, records <-chan *connectors.Record, results chan<- *connectors.Result) error {
	var failures []error
	inner := make(chan *connectors.Result, cap(results))
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(results)
		for result := range inner {
			if result.Err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", result.Record.Pathname, result.Err))
			} else if result.Record.FileInfo.Mode().IsRegular() {
				e.files++
			}
			results <- result
		}
	}()
	err := e.Exporter.Export(ctx, records, inner)
	<-done
	return errors.Join(append(failures, err)...)
}

// remove marks a snapshot as deleted, which puts a small state into the store.
func (c *client) remove(args []string) (any, error) {
	repo, err := c.openRepository()
	if err != nil {
		return nil, err
	}
	id, err := locate.LocateSnapshotByPrefix(repo, args[0])
	if err != nil {
		return nil, err
	}
	if err := repo.DeleteSnapshot(id); err != nil {
		return nil, err
	}
	return struct {
		Removed objects.MAC `json:"removed"`
	}{id}, nil
}
