#!/usr/bin/env bash
# libcst 1.9.0: its tree is said to keep every character, but a blank between the class of an `except` and its colon, and one
# behind the conversion of an f-string (Python 3.12), are in no node: `Module.code` is shorter than what was parsed, and
# every position that its metadata gives for what follows in that line is off by one.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check libcst==1.9.0
"$place/venv/bin/python" - <<'PY'
import libcst
from libcst.metadata import MetadataWrapper, PositionProvider

for text in ("try:\n    f()\nexcept ValueError :\n    g()\n", 'f(f"{x!r }", y)\n'):
    module = libcst.parse_module(text)
    if module.code == text:
        raise SystemExit(f"libcst writes it back now: {text!r}")
    print(f"{text!r} is written back as {module.code!r}")

wrapper = MetadataWrapper(libcst.parse_module('f(f"{x!r }", y)\n'))
places = wrapper.resolve(PositionProvider)
[column] = [place.start.column for node, place in places.items() if getattr(node, "value", "") == "y" and isinstance(node, libcst.Name)]
print(f"`y` stands in column 13 of the text, from 0; libcst says {column}")
if column != 12:
    raise SystemExit("the position has changed")
PY
