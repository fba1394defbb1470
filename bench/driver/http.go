package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
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
		requests[i] = newRequest(job, "GET", s.name, fmt.Sprintf("bytes=%d-%d", s.offset, end))
		requests[i].want = s.length
	}
	return ask(job, requests)
}

// wholeObjects gets whole objects over HTTP.
func wholeObjects(job Job) (Outcome, error) {
	objects, err := readObjects(job.Objects)
	if err != nil {
		return Outcome{}, err
	}
	requests := make([]request, len(objects))
	for i, o := range objects {
		requests[i] = newRequest(job, "GET", o.name, "")
		requests[i].want = o.size
	}
	return ask(job, requests)
}

// list gets the list of all objects, whose length is known: it has as many as
// the store was filled with.
func list(job Job) (Outcome, error) {
	all := newRequest(job, "GET", "", "")
	all.want = -1
	outcome, err := ask(job, []request{all})
	// A MAC in JSON: 64 digits, two quotes, a comma or bracket.
	if err == nil && outcome.Bytes < outcome.Ops*int64(job.Count)*67 {
		err = fmt.Errorf("the lists are too short: %d bytes in %d", outcome.Bytes, outcome.Ops)
	}
	return outcome, err
}

// A request is ready to be sent, by either client.
type request struct {
	method, path, rangeHeader string
	raw                       []byte
	want                      int64 // bytes of the answer; -1: any number
}

func newRequest(job Job, method, name, rangeHeader string) request {
	path := job.Prefix
	switch {
	case name == "":
		path = job.List
	case job.Buckets:
		path += name[:2] + "/" + name
	default:
		path += name
	}
	var raw strings.Builder
	// The headers are those of plakar's client.
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Go-http-client/1.1\r\n", method, path, job.Address)
	raw.WriteString("Content-Type: application/json\r\n")
	if rangeHeader != "" {
		fmt.Fprintf(&raw, "Range: %s\r\n", rangeHeader)
	}
	if method != "GET" {
		raw.WriteString("Transfer-Encoding: chunked\r\n")
	}
	raw.WriteString("Accept-Encoding: gzip\r\n\r\n")
	return request{method: method, path: path, rangeHeader: rangeHeader, raw: []byte(raw.String())}
}

// ask sends requests, again and again, over as many connections as the job says.
func ask(job Job, requests []request) (Outcome, error) {
	workers := make([]worker, job.Connections)
	for i := range workers {
		if job.Client == "go" {
			workers[i] = func(n int64) (transfer, error) {
				return viaClient(job, requests[n%int64(len(requests))])
			}
			continue
		}
		conn, err := dial(job.Address)
		if err != nil {
			return Outcome{}, err
		}
		defer conn.close()
		workers[i] = func(n int64) (transfer, error) {
			return conn.exchange(requests[n%int64(len(requests))], nil)
		}
	}
	return pace(job, workers)
}

// viaClient uses Go's default client, which plakar's does: it keeps two idle
// connections, and opens and closes the others all the time.
func viaClient(job Job, r request) (transfer, error) {
	req, err := http.NewRequest(r.method, "http://"+job.Address+r.path, nil)
	if err != nil {
		return transfer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if r.rangeHeader != "" {
		req.Header.Set("Range", r.rangeHeader)
	}
	start := time.Now()
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return transfer{}, err
	}
	firstByte := time.Since(start)
	n, err := io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if err != nil {
		return transfer{}, err
	}
	return transfer{n, firstByte}, checkAnswer(r, response.StatusCode, n)
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
