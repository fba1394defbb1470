#!/bin/sh
# Makes gen/ from the gateway's proto files, and builds the driver and the server beside it into the folder that is given.
# buf has to be on the PATH.
set -e
cd "$(dirname "$0")"
buf generate
go build -o "$1/driver" .
go build -o "$1/grpc-server" ./grpc-server
