#!/bin/sh
# exec, so that the server itself is told to end.
exec node "$CODE_DIR/server.js"
