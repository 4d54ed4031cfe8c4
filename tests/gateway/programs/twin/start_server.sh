#!/bin/sh
exec python3 "$CODE_DIR/server.py"
