#!/bin/sh
# Install the open verifier of OGC API Features apart from ours: it pins older libraries.
set -eu
cd "$(dirname "$0")/.."
lock=requirements-ogctests.lock
if [ -f var/ogctests/.stamp ] && cmp -s "$lock" var/ogctests/.stamp; then
    exit 0
fi
.venv/bin/python -m venv --clear var/ogctests
var/ogctests/bin/python -m pip install -q --require-hashes --only-binary :all: -r "$lock"
cp "$lock" var/ogctests/.stamp
