#!/bin/sh
exec node "$CODE_DIR/server.js"
