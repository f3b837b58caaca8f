#!/usr/bin/env bash
# click 8.3.1: in standalone_mode=False, which its documentation describes as leaving exceptions to the caller, a broken
# pipe never reaches the caller: click exits with 1 itself.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check click==8.3.1
cat > "$place/program.py" <<'PY'
import os, sys, click

@click.command()
def main():
    raise BrokenPipeError(32, "Broken pipe")

try:
    main.main([], standalone_mode=False)
except BrokenPipeError:
    print("the caller saw BrokenPipeError")
except SystemExit as ended:
    print(f"the caller saw SystemExit({ended.code})")
PY
"$place/venv/bin/python" "$place/program.py" | tee "$place/said"
grep -q 'SystemExit(1)' "$place/said"
