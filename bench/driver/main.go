// Command driver loads a server for the benchmark: one job a run, given as
// JSON in its argument, its outcome as JSON on standard output. It spends as
// little CPU as it can on each request, since it shares the cores with the
// server.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A Job says what to do. Which fields matter depends on the mode.
type Job struct {
	Mode        string   `json:"mode"`
	Client      string   `json:"client"`      // see the constants below
	Address     string   `json:"address"`     // host:port
	Replicas    []string `json:"replicas"`    // more servers of the same: connections go to all in turn; raw client only
	CA          string   `json:"ca"`          // a PEM file of the authority to trust; TLS is used where it is set
	Prefix      string   `json:"prefix"`      // of an object's path
	Stores      []string `json:"stores"`      // names to put before the path, one after the other; none: the default store
	List        string   `json:"list"`        // the path of the list of all objects
	Buckets     bool     `json:"buckets"`     // whether the first two digits are a folder of the path
	Inclusive   bool     `json:"inclusive"`   // whether ranges are RFC 9110's, and not plakar's
	Method      string   `json:"method"`      // of a put
	Sized       bool     `json:"sized"`       // whether puts say how long they are; raw client only
	Objects     string   `json:"objects"`     // a file with a line for each object: name and size
	Connections int      `json:"connections"` // or streams on one connection, over gRPC and HTTP/2
	Seconds     float64  `json:"seconds"`     // how long to run; 0: until Ops are done
	Ops         int64    `json:"ops"`
	Size        int64    `json:"size"`     // of what is put, in bytes
	Seed        uint64   `json:"seed"`     // the same seed gives the same requests
	Together    int      `json:"together"` // reads in a message of ReadRanges; 0: one each, with an answer each
	Folder      string   `json:"folder"`
	From        string   `json:"from"` // the store that link takes objects from
	Count       int      `json:"count"`
}

// Clients.
const (
	clientRaw = "raw" // HTTP/1.1 on kept connections, or gRPC frames, with as little work as possible
	clientGo  = "go"  // Go's default HTTP client by HTTP/1.1, or grpc-go; whole objects over gRPC always use grpc-go
	clientH2  = "h2"  // Go's default HTTP client by HTTP/2, over TLS
)

// An Outcome is what a job came to.
type Outcome struct {
	Ops         int64   `json:"ops"`
	Bytes       int64   `json:"bytes,omitempty"`
	Seconds     float64 `json:"seconds"`
	P50Ms       float64 `json:"p50Ms,omitempty"`
	P99Ms       float64 `json:"p99Ms,omitempty"`
	FirstByteMs float64 `json:"firstByteMs,omitempty"` // median
	ClientCPU   float64 `json:"clientCpuSeconds"`
}

var modes = map[string]func(Job) (Outcome, error){
	"ranges":      ranges,
	"objects":     wholeObjects,
	"puts":        puts,
	"list":        list,
	"grpc-get":    grpcGet,
	"grpc-put":    grpcPut,
	"read-ranges": readRanges,
	"fill":        fill,
	"link":        link,
	"evict":       evict,
	"clean":       clean,
	"empty":       empty,
}

const timeout = 5 * time.Minute

func main() {
	var job Job
	if err := json.Unmarshal([]byte(os.Args[1]), &job); err != nil {
		fail(err)
	}
	if job.Address != "" {
		// A server that hangs must not hang the benchmark.
		time.AfterFunc(timeout, func() { fail(fmt.Errorf("not done after %v", timeout)) })
	}
	run, ok := modes[job.Mode]
	if !ok {
		fail(fmt.Errorf("unknown mode %q", job.Mode))
	}
	outcome, err := run(job)
	if err != nil {
		fail(err)
	}
	outcome.ClientCPU = cpuSeconds()
	json.NewEncoder(os.Stdout).Encode(outcome)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func cpuSeconds() float64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}
