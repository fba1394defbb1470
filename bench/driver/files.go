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
// job's file of objects, where it has one.
func fill(job Job) (Outcome, error) {
	for bucket := range 256 {
		if err := os.MkdirAll(filepath.Join(job.Folder, "packfiles", fmt.Sprintf("%02x", bucket)), 0o700); err != nil {
			return Outcome{}, err
		}
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

func objectPath(folder, name string) string {
	return filepath.Join(folder, "packfiles", name[:2], name)
}

// evict has the system forget what it cached of the objects' bytes. That
// needs no privilege, and leaves everyone else's cache alone.
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

// clean removes all objects below a folder, and waits until the disk has
// caught up, so that one server's writes aren't another's delay.
func clean(job Job) (Outcome, error) {
	return settle(job.Folder, os.Remove)
}

// empty is clean for those who write there next: it takes the objects' bytes,
// and leaves their names. For minutes after a file was removed ext4 passes
// over its inode when it looks for a free one, and after some thousand
// removals a put would take longer for that than for everything else.
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
