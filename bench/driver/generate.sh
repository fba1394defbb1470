#!/bin/sh
# Generates gen/ from the gateway's proto files, and builds the driver, the gRPC server and the delaying proxy into the folder $1.
# buf has to be on the PATH.
set -e
cd "$(dirname "$0")"
buf generate
go build -o "$1/driver" .
go build -o "$1/grpc-server" ./grpc-server
go build -o "$1/delay-proxy" ./delay-proxy
