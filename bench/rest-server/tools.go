//go:build tools

// Package tools requires restic's server, an opponent of the benchmark, so
// that it is built from here in the version that go.mod says.
package tools

import _ "github.com/restic/rest-server/cmd/rest-server"
