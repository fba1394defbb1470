//go:build tools

// Package tools requires plakar, so that the benchmark builds its program in
// the version that go.mod names.
package tools

import _ "github.com/PlakarKorp/plakar"
