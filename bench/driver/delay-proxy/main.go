// Command delay-proxy forwards TCP connections and delays every byte by the
// same time in each direction: a distant server, as far as its clients can
// tell. It doesn't limit bandwidth.
package main

import (
	"flag"
	"log"
	"net"
	"sync"
	"time"
)

const (
	chunkBytes = 64 << 10
	// At most so many chunks are in flight in one direction: 64 MiB, more than
	// the windows of HTTP/2 and SSH that are measured through this.
	maxChunks = 1024
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	target := flag.String("target", "", "`address` to forward to")
	delay := flag.Duration("delay", 0, "`time` that each byte takes in one direction")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		server, err := net.Dial("tcp", *target)
		if err != nil {
			log.Print(err)
			client.Close()
			continue
		}
		go join(client.(*net.TCPConn), server.(*net.TCPConn), *delay)
	}
}

// join forwards in both directions until both have ended.
func join(client, server *net.TCPConn, delay time.Duration) {
	var directions sync.WaitGroup
	directions.Go(func() { forward(client, server, delay) })
	directions.Go(func() { forward(server, client, delay) })
	directions.Wait()
	client.Close()
	server.Close()
}

type chunk struct {
	bytes []byte
	due   time.Time
}

// forward copies one direction. The end of the input arrives after the delay,
// too. Where the output fails, the input is closed.
func forward(from, to *net.TCPConn, delay time.Duration) {
	chunks := make(chan chunk, maxChunks)
	go func() {
		defer close(chunks)
		for {
			buffer := make([]byte, chunkBytes)
			n, err := from.Read(buffer)
			if n > 0 {
				chunks <- chunk{buffer[:n], time.Now().Add(delay)}
			}
			if err != nil {
				return
			}
		}
	}()
	for next := range chunks {
		time.Sleep(time.Until(next.due))
		if _, err := to.Write(next.bytes); err != nil {
			from.Close()
			for range chunks { // lets the reader end
			}
			return
		}
	}
	time.Sleep(delay)
	to.CloseWrite()
}
