package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// fill adds packfiles to a store, and writes their names and sizes to the
// job's file of objects.
func fill(job Job) (Outcome, error) {
	if err := makeBuckets(job.Folder); err != nil {
		return Outcome{}, err
	}
	names, err := os.Create(job.Objects)
	if err != nil {
		return Outcome{}, err
	}
	defer names.Close()
	lines := bufio.NewWriter(names)
	bytes := content(max(job.Size, 64))[:job.Size]
	for i := range job.Count {
		name := randomName()
		if job.Size >= 64 {
			binary.LittleEndian.PutUint64(bytes[16:], uint64(i))
		}
		if err := os.WriteFile(objectPath(job.Folder, name), bytes, 0o600); err != nil {
			return Outcome{}, err
		}
		fmt.Fprintln(lines, name, job.Size)
	}
	return Outcome{Ops: int64(job.Count)}, lines.Flush()
}

// link adds the objects of another store, without copying their bytes: each
// file has a name in both.
func link(job Job) (Outcome, error) {
	objects, err := readObjects(job.Objects)
	if err != nil {
		return Outcome{}, err
	}
	if err := makeBuckets(job.Folder); err != nil {
		return Outcome{}, err
	}
	for _, o := range objects {
		if err := os.Link(objectPath(job.From, o.name), objectPath(job.Folder, o.name)); err != nil {
			return Outcome{}, err
		}
	}
	return Outcome{Ops: int64(len(objects))}, nil
}

func makeBuckets(store string) error {
	for bucket := range 256 {
		if err := os.MkdirAll(filepath.Join(store, "packfiles", fmt.Sprintf("%02x", bucket)), 0o700); err != nil {
			return err
		}
	}
	return nil
}

func objectPath(folder, name string) string {
	return filepath.Join(folder, "packfiles", name[:2], name)
}

// evict drops the objects' bytes from the page cache. It needs no privilege,
// and leaves other files in the cache.
func evict(job Job) (Outcome, error) {
	objects, err := readObjects(job.Objects)
	if err != nil {
		return Outcome{}, err
	}
	for _, o := range objects {
		file, err := os.Open(objectPath(job.Folder, o.name))
		if err != nil {
			return Outcome{}, err
		}
		err = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
		file.Close()
		if err != nil {
			return Outcome{}, err
		}
	}
	return Outcome{Ops: int64(len(objects))}, nil
}

// clean removes all files below a folder, and waits until the disk has caught
// up, so that one server's writes don't delay the next one's.
func clean(job Job) (Outcome, error) {
	return settle(job.Folder, os.Remove)
}

// empty truncates all files below a folder, for a folder that is written to
// next, and waits as clean does. It doesn't remove them: for minutes after a
// removal ext4 skips the inode when it looks for a free one, and after some
// thousand removals that search would dominate a put.
func empty(job Job) (Outcome, error) {
	return settle(job.Folder, func(path string) error {
		return os.Truncate(path, 0)
	})
}

func settle(root string, each func(path string) error) (Outcome, error) {
	var files int64
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		files++
		return each(path)
	})
	if err != nil {
		return Outcome{}, err
	}
	folder, err := os.Open(root)
	if err != nil {
		return Outcome{}, err
	}
	defer folder.Close()
	return Outcome{Ops: files}, unix.Syncfs(int(folder.Fd()))
}
