package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
)

// An object is one of a store's packfiles.
type object struct {
	name string
	size int64
}

// A section is the part of an object that one small read gets.
type section struct {
	object
	offset, length int64
}

func readObjects(path string) ([]object, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []object
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var o object
		if _, err := fmt.Sscan(lines.Text(), &o.name, &o.size); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s names no object", path)
	}
	return all, nil
}

const (
	shortest = 200
	longest  = 64 << 10
	// How many different reads a run makes before it repeats them.
	variety = 20_000
)

// sections are reads as plakar makes them: their lengths are log-uniform, their
// offsets uniform. The same seed gives the same reads.
func sections(job Job) ([]section, error) {
	objects, err := readObjects(job.Objects)
	if err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(job.Seed, 1))
	all := make([]section, max(variety, int(job.Ops)))
	for i := range all {
		o := objects[random.IntN(len(objects))]
		length := int64(shortest * math.Pow(float64(longest)/shortest, random.Float64()))
		all[i] = section{o, random.Int64N(o.size - length), length}
	}
	return all, nil
}

func randomName() string {
	var bytes [32]byte
	for i := 0; i < len(bytes); i += 8 {
		word := rand.Uint64()
		for j := range 8 {
			bytes[i+j] = byte(word >> (8 * j))
		}
	}
	return fmt.Sprintf("%x", bytes)
}

// content is a packfile's header followed by noise: servers look at the header
// at most.
func content(size int64) []byte {
	bytes := make([]byte, size)
	noise := rand.NewChaCha8([32]byte{1})
	noise.Read(bytes)
	copy(bytes, "_KLOSET_\x04\x00\x00\x00\x00\x00\x01\x00")
	return bytes
}
