# Sourced. find_python sets $python to a Python >= 3.11 that can make environments, or fails.
# TANHUI_PYTHON names one; else python3, else the newest by name.
find_python() {
    for python in ${TANHUI_PYTHON:-python3 python3.13 python3.12 python3.11}; do
        command -v "$python" >/dev/null 2>&1 || continue
        "$python" -I -S -c 'import sys
if sys.version_info < (3, 11): sys.exit(1)
from importlib.util import find_spec
sys.exit(not (find_spec("venv") and find_spec("ensurepip")))' >/dev/null 2>&1 && return 0
    done
    python=
    return 1
}
