#!/bin/sh
# buf has to be on the PATH. It puts the gateway's proto files into descriptors.binpb, from which build.rs generates code. Builds the program:
# cargo run HOST:PORT
set -e
cd "$(dirname "$0")"
buf build ../../../proto --path ../../../proto/kloset --as-file-descriptor-set --output descriptors.binpb
cargo build --quiet --locked
