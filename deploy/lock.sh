#!/usr/bin/env bash
# Renew the lock files: one for each group, versions and hashes only.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { # FILE ARGUMENTS...
  local out=$1
  shift
  .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
    "$@" -o "$out"
  if grep -nE '://|^--' "$out"; then
    echo "$out holds an address" >&2
    exit 1
  fi
}
compile requirements.lock pyproject.toml --group build
compile requirements-dev.lock -c requirements.lock pyproject.toml --group build --group dev
compile requirements-bench.lock -c requirements-dev.lock pyproject.toml --group build --group dev --group bench
