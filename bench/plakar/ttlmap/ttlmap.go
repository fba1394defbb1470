// Package ttlmap replaces the module of that name, which some Go proxies
// refuse to serve. Only plakar's web interface uses it, and the benchmark
// never starts that, so entries don't expire here.
package ttlmap

import (
	"sync"
	"time"
)

// A Map keeps every entry for ever.
type Map[K comparable, V any] struct{ entries sync.Map }

func New[K comparable, V any](time.Duration) *Map[K, V] { return &Map[K, V]{} }

func (m *Map[K, V]) AutoExpire() {}

func (m *Map[K, V]) Add(key K, value V) { m.entries.Store(key, value) }

func (m *Map[K, V]) Get(key K) (value V, ok bool) {
	entry, ok := m.entries.Load(key)
	if ok {
		value = entry.(V)
	}
	return value, ok
}
