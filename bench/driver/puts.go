package main

import (
	"bytes"
	"fmt"
)

// puts uploads objects under new names, chunked as plakar's client does it:
// it knows no length beforehand.
func puts(job Job) (Outcome, error) {
	body := chunked(content(job.Size))
	workers := make([]worker, job.Connections)
	for i := range workers {
		conn, err := dial(job.Address)
		if err != nil {
			return Outcome{}, err
		}
		defer conn.close()
		workers[i] = func(int64) (transfer, error) {
			moved, err := conn.exchange(newRequest(job, job.Method, randomName(), ""), body)
			moved.bytes = job.Size
			return moved, err
		}
	}
	return pace(job, workers)
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
