#!/bin/sh
# Compiles the server at each start, into the one place that can be written to. An image that holds the program
# starts at once: build one, and name it as the environment's image with a startCommand.
set -eu
cd "$CODE_DIR"
CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-mod=mod go build -buildvcs=false -o "$HOME/server" .
# exec, so that the server itself is told to end.
exec "$HOME/server"
