package main

import (
	"bytes"
	"strconv"

	"github.com/PlakarKorp/kloset/objects"
	"github.com/PlakarKorp/kloset/repository"
	"github.com/PlakarKorp/kloset/resources"
)

// maintain does to the store what plakar's maintenance command does when the
// grace period of some packfiles has passed: it takes an exclusive lock, puts
// a state that marks them and one that drops them, and deletes them. It takes
// the first ones that it finds, whether or not they are needed.
func (c *client) maintain(args []string) (result any, err error) {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return nil, err
	}
	repo, err := c.openRepository()
	if err != nil {
		return nil, err
	}
	lock := objects.RandomMAC()
	var packed bytes.Buffer
	if err := repository.NewExclusiveLock(c.ctx.Hostname).SerializeToStream(&packed); err != nil {
		return nil, err
	}
	if _, err := repo.PutLock(lock, &packed); err != nil {
		return nil, err
	}
	defer func() {
		if lockErr := repo.DeleteLock(lock); err == nil {
			err = lockErr
		}
	}()
	if _, err := repo.GetLocks(); err != nil {
		return nil, err
	}
	packfiles, err := repo.GetPackfiles()
	if err != nil {
		return nil, err
	}
	packfiles = packfiles[:min(count, len(packfiles))]
	err = c.putState(repo, packfiles, func(writer *repository.RepositoryWriter, mac objects.MAC) error {
		return writer.DeleteStateResource(resources.RT_PACKFILE, mac)
	})
	if err != nil {
		return nil, err
	}
	err = c.putState(repo, packfiles, func(writer *repository.RepositoryWriter, mac objects.MAC) error {
		if err := writer.RemovePackfile(mac); err != nil {
			return err
		}
		return writer.UncolourPackfile(mac)
	})
	if err != nil {
		return nil, err
	}
	for _, mac := range packfiles {
		if err := repo.DeletePackfile(mac); err != nil {
			return nil, err
		}
	}
	return struct {
		Deleted []objects.MAC `json:"deleted"`
	}{packfiles}, nil
}

// putState puts a state with a change of each of the packfiles.
func (c *client) putState(repo *repository.Repository, packfiles []objects.MAC, change func(*repository.RepositoryWriter, objects.MAC) error) error {
	id := objects.RandomMAC()
	cache, err := c.ctx.GetCache().Scan(id)
	if err != nil {
		return err
	}
	defer cache.Close()
	writer := repo.NewRepositoryWriter(cache, id, repository.DefaultType, "")
	for _, mac := range packfiles {
		if err := change(writer, mac); err != nil {
			return err
		}
	}
	return writer.CommitTransaction(id)
}
