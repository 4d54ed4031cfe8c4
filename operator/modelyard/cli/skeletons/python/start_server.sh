#!/bin/sh
# exec, so that the server itself is told to end.
exec python3 "$CODE_DIR/server.py"
