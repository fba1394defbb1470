package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// ranges does small reads over HTTP.
func ranges(job Job) (Outcome, error) {
	all, err := sections(job)
	if err != nil {
		return Outcome{}, err
	}
	requests := make([]request, len(all))
	for i, s := range all {
		end := s.offset + s.length
		if job.Inclusive {
			end--
		}
		requests[i] = newRequest(job, i, "GET", s.name, fmt.Sprintf("bytes=%d-%d", s.offset, end))
		requests[i].want = s.length
	}
	return repeatRequests(job, requests)
}

// wholeObjects gets whole objects over HTTP.
func wholeObjects(job Job) (Outcome, error) {
	objects, err := readObjects(job.Objects)
	if err != nil {
		return Outcome{}, err
	}
	requests := make([]request, len(objects))
	for i, o := range objects {
		requests[i] = newRequest(job, i, "GET", o.name, "")
		requests[i].want = o.size
	}
	return repeatRequests(job, requests)
}

// list gets the list of all objects, of each store in turn. It checks that the
// list has as many objects as the store was filled with.
func list(job Job) (Outcome, error) {
	requests := make([]request, max(1, len(job.Stores)))
	for i := range requests {
		requests[i] = newRequest(job, i, "GET", "", "")
		requests[i].want = -1
	}
	outcome, err := repeatRequests(job, requests)
	// A MAC in JSON: 64 digits, two quotes, a comma or bracket.
	if err == nil && outcome.Bytes < outcome.Ops*int64(job.Count)*67 {
		err = fmt.Errorf("the lists are too short: %d bytes in %d", outcome.Bytes, outcome.Ops)
	}
	return outcome, err
}

// puts uploads objects under new names. Unless the job says otherwise, they
// don't tell how long they are, as those of plakar's client don't.
func puts(job Job) (Outcome, error) {
	body := newBody(job)
	return perConnection(job, func(do exchange, n int64) (transfer, error) {
		moved, err := do(newRequest(job, int(n), job.Method, randomName(), ""), body)
		moved.bytes = job.Size
		return moved, err
	})
}

func repeatRequests(job Job, requests []request) (Outcome, error) {
	return perConnection(job, func(do exchange, n int64) (transfer, error) {
		return do(requests[n%int64(len(requests))], nil)
	})
}

// A request is ready to be sent, by each of the clients.
type request struct {
	method, path, rangeHeader string
	raw                       []byte
	want                      int64 // bytes of the answer; -1: any number
}

// newRequest makes the nth request. An empty name stands for the list.
func newRequest(job Job, n int, method, name, rangeHeader string) request {
	path := job.Prefix
	switch {
	case name == "":
		path = job.List
	case job.Buckets:
		path += name[:2] + "/" + name
	default:
		path += name
	}
	if len(job.Stores) > 0 {
		path = "/" + job.Stores[n%len(job.Stores)] + path
	}
	r := request{method: method, path: path, rangeHeader: rangeHeader}
	if job.Client == clientRaw {
		r.raw = rawHead(job, r)
	}
	return r
}

// rawHead has the headers that plakar's client sends.
func rawHead(job Job, r request) []byte {
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Go-http-client/1.1\r\n", r.method, r.path, job.Address)
	head.WriteString("Content-Type: application/json\r\n")
	if r.rangeHeader != "" {
		fmt.Fprintf(&head, "Range: %s\r\n", r.rangeHeader)
	}
	if r.method != "GET" {
		if job.Sized {
			fmt.Fprintf(&head, "Content-Length: %d\r\n", job.Size)
		} else {
			head.WriteString("Transfer-Encoding: chunked\r\n")
		}
	}
	head.WriteString("Accept-Encoding: gzip\r\n\r\n")
	return []byte(head.String())
}

// A body is what is put, as the job's client sends it.
type body struct{ bytes []byte }

func newBody(job Job) *body {
	bytes := content(job.Size)
	if job.Client == clientRaw && !job.Sized {
		bytes = chunked(bytes)
	}
	return &body{bytes}
}

// chunked frames a body in chunks of the size that Go's client makes.
func chunked(body []byte) []byte {
	const size = 32 << 10
	var framed bytes.Buffer
	framed.Grow(len(body) + len(body)/size*16 + 64)
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&framed, "%x\r\n", n)
		framed.Write(body[:n])
		framed.WriteString("\r\n")
		body = body[n:]
	}
	framed.WriteString("0\r\n\r\n")
	return framed.Bytes()
}

// An exchange sends a request, with a body unless that is nil, and takes the answer.
type exchange func(r request, b *body) (transfer, error)

// perConnection works on as many connections as the job says, each with one
// request at a time.
func perConnection(job Job, work func(do exchange, n int64) (transfer, error)) (Outcome, error) {
	connect, err := connector(job)
	if err != nil {
		return Outcome{}, err
	}
	workers := make([]worker, job.Connections)
	for i := range workers {
		do, err := connect()
		if err != nil {
			return Outcome{}, err
		}
		workers[i] = func(n int64) (transfer, error) { return work(do, n) }
	}
	return pace(job, workers)
}

// connector returns what opens connections: its own for each call with the raw
// client, a pool that all share with Go's.
func connector(job Job) (func() (exchange, error), error) {
	trust, err := tlsConfig(job)
	if err != nil {
		return nil, err
	}
	if job.Client != clientRaw {
		client := newGoClient(job, trust)
		return func() (exchange, error) { return client.exchange, nil }, nil
	}
	addresses := append([]string{job.Address}, job.Replicas...)
	connections := 0
	return func() (exchange, error) {
		connections++
		conn, err := dial(addresses[connections%len(addresses)], trust)
		if err != nil {
			return nil, err
		}
		return conn.exchange, nil
	}, nil
}

func checkAnswer(r request, status int, n int64) error {
	if status != http.StatusOK && status != http.StatusPartialContent {
		return fmt.Errorf("%s %s: status %d", r.method, r.path, status)
	}
	if r.want >= 0 && n != r.want {
		return fmt.Errorf("%s %s: %d bytes instead of %d", r.method, r.path, n, r.want)
	}
	return nil
}
