#!/bin/sh
# buf has to be on the PATH. Generates gen/ from the gateway's proto files, and builds the program: ./client HOST:PORT
set -e
cd "$(dirname "$0")"
buf generate
go build -o client .
