package main

import (
	"context"
	"reflect"
	"time"
	"unsafe"

	"github.com/PlakarKorp/kloset/connectors"
	"github.com/PlakarKorp/kloset/connectors/importer"
	"github.com/PlakarKorp/kloset/snapshot"
)

// A pace makes a short backup behave like a long one.
type pace struct {
	checkpoint time.Duration // how often a state is put; 0 is Kloset's hour
	pause      time.Duration // before each file
	hang       bool          // after the last file
}

// checkpointEvery changes how often a builder puts a state. Kloset has no
// option for it: the hour is a constant in snapshot/builder.go.
func checkpointEvery(builder *snapshot.Builder, every time.Duration) {
	field := reflect.ValueOf(builder).Elem().FieldByName("flushTick")
	(*(**time.Ticker)(unsafe.Pointer(field.UnsafeAddr()))).Reset(every)
}

// paced is the importer at a pace.
func paced(imp importer.Importer, p pace) importer.Importer {
	if p.pause == 0 && !p.hang {
		return imp
	}
	return &pacedImporter{Importer: imp, pace: p}
}

type pacedImporter struct {
	importer.Importer
	pace pace
}

func (i *pacedImporter) Import(ctx context.Context, records chan<- *connectors.Record, results <-chan *connectors.Result) error {
	inner := make(chan *connectors.Record)
	go func() {
		defer close(records)
		for record := range inner {
			if record.FileInfo.Mode().IsRegular() {
				time.Sleep(i.pace.pause)
			}
			records <- record
		}
		if i.pace.hang {
			select {}
		}
	}()
	return i.Importer.Import(ctx, inner, results)
}
