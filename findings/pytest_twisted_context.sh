#!/usr/bin/env bash
# pytest-twisted 1.14.3 with pytest 9.0.2: where it is installed, every test runs in a greenlet with an empty context, be it
# one of Twisted or not: a context variable that a hook sets around the test is not seen in it.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
pip() { "$place/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip pytest==9.0.2
cat > "$place/conftest.py" <<'PY'
import contextvars, pytest

WHO = contextvars.ContextVar("WHO", default="nobody")

@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    token = WHO.set("the hook")
    try:
        return (yield)
    finally:
        WHO.reset(token)
PY
cat > "$place/test_plain.py" <<'PY'
import conftest

def test_plain():
    print("set by", conftest.WHO.get())
PY
said() { (cd "$place" && venv/bin/python -m pytest -q -s -p no:cacheprovider test_plain.py | grep 'set by'); }
said | tee "$place/without"
pip pytest-twisted==1.14.3 twisted==25.5.0
said | tee "$place/with"
grep -q 'set by the hook' "$place/without"
grep -q 'set by nobody' "$place/with"
