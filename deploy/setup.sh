#!/bin/sh
# Make .venv hold what a locked group names: run (default), dev or bench; each holds the one before.
#
#   sh deploy/setup.sh [run|dev|bench]
#
# A stamp in .venv (lock files, project file and Python version) makes a second run cost nothing.
set -eu

cd "$(dirname "$0")/.."
. deploy/python.sh

lock_of() {
    case $1 in
        run) echo requirements.lock ;;
        dev | bench) echo "requirements-$1.lock" ;;
    esac
}

group=${1:-run}
if [ -z "$(lock_of "$group")" ]; then
    echo "用法 / usage: sh deploy/setup.sh [run|dev|bench]" >&2
    exit 2
fi

stamp_text() {
    sed -n 's/^version *= */python /p' .venv/pyvenv.cfg
    sha256sum "$(lock_of "$1")" requirements-uv.lock pyproject.toml
    pwd # the tanhui command and the editable install name this folder
}

holds() { # is this group installed, as locked now?
    [ -x .venv/bin/python ] && [ -f ".venv/.stamp-$1" ] &&
        [ "$(stamp_text "$1")" = "$(cat ".venv/.stamp-$1")" ]
}

bigger() { # a group and those that include it
    case $1 in
        run) echo "run dev bench" ;;
        dev) echo "dev bench" ;;
        bench) echo "bench" ;;
    esac
}

satisfied() {
    for one in $(bigger "$group"); do
        holds "$one" && return 0
    done
    return 1
}

if [ -L .venv ]; then
    exit 0 # somebody else's environment, linked in: theirs to keep
fi
if satisfied; then
    exit 0
fi

# One at a time; the second finds the work done.
mkdir -p var
exec 9>var/setup.lock
if command -v flock >/dev/null 2>&1; then
    flock 9
    if satisfied; then
        exit 0
    fi
fi

# What was installed once stays: a stale bigger group is brought up to date, not left half old.
for one in $(bigger "$group"); do
    if [ -f ".venv/.stamp-$one" ]; then
        group=$one
    fi
done
lock=$(lock_of "$group")

run() {
    echo "+ $*"
    "$@"
}

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    if ! find_python; then
        echo "需要 Python 3.11 或更新版本及其 venv 模块：sh deploy/system_packages.sh /" \
            "Python 3.11 or newer with its venv module is needed: sh deploy/system_packages.sh" >&2
        exit 3
    fi
    run "$python" -m venv --clear .venv
fi
rm -f .venv/.stamp-*

export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
only="--only-binary :all: --no-binary flask-principal" # the one that has no wheel

get_uv() {
    wanted=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements-uv.lock)
    case $(.venv/bin/uv --version 2>/dev/null) in
        "uv $wanted"*) ;;
        *) run .venv/bin/python -m pip install -q --require-hashes --only-binary :all: \
            -r requirements-uv.lock ;;
    esac
}

use_pip_settings() { # uv reads none of them: a mirror named for pip is meant for us too
    index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
    if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        export UV_DEFAULT_INDEX="$index"
    fi
    if [ -n "${PIP_CERT:-}" ] && [ -z "${SSL_CERT_FILE:-}" ]; then
        export SSL_CERT_FILE="$PIP_CERT"
    fi
}

with_uv() {
    get_uv && use_pip_settings &&
        run .venv/bin/uv pip install -q --python .venv/bin/python --require-hashes $only -r "$lock" &&
        run .venv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
}

with_pip() {
    run .venv/bin/python -m pip install -q --require-hashes $only -r "$lock" &&
        run .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
}

if ! with_uv; then
    echo "uv 不可用，改用 pip（较慢） / uv is of no use here; using pip (slower)"
    with_pip
fi
stamp_text "$group" >".venv/.stamp-$group.new"
mv ".venv/.stamp-$group.new" ".venv/.stamp-$group"
