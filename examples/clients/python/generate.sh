#!/bin/sh
# buf has to be on the PATH. Makes a virtual environment in .venv and generates gen/ from the gateway's proto files: .venv/bin/python client.py HOST:PORT
set -e
cd "$(dirname "$0")"
python3 -m venv .venv
.venv/bin/pip install --quiet --requirement requirements.txt
buf generate
