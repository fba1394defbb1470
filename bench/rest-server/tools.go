//go:build tools

// Package tools requires restic's rest-server, so that the benchmark builds it
// in the version that go.mod names.
package tools

import _ "github.com/restic/rest-server/cmd/rest-server"
