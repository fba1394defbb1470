// Command grpc-server is what the gateway's gRPC is compared with: the same API
// over the same files, written plainly with grpc-go and its default settings.
package main

import (
	"flag"
	"log"
	"net"

	"google.golang.org/grpc"

	storev1 "example.org/kloset-bench/driver/gen/kloset/store/v1"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`address` to listen on")
	sync := flag.Bool("fsync", false, "sync what is put before it is acknowledged")
	flag.Parse()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	storev1.RegisterStoreServiceServer(server, &store{root: flag.Arg(0), sync: *sync})
	log.Fatal(server.Serve(listener))
}
