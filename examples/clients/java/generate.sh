#!/bin/sh
# Maven generates code from the gateway's proto files, builds the program, and puts the libraries into target/dependency:
# java -cp 'target/classes:target/dependency/*' org.example.kloset.Client HOST:PORT
set -e
cd "$(dirname "$0")"
mvn --quiet --batch-mode compile dependency:copy-dependencies -DincludeScope=runtime
