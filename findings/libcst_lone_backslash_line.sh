#!/usr/bin/env bash
# libcst 1.8.6: a line that holds nothing but a backslash, in front of a block's first statement, ends the block for its
# parser: valid Python is rejected ("expected INDENT"), although the same line between two statements is accepted.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check libcst==1.8.6
"$place/venv/bin/python" - <<'PY'
import ast
import libcst

text = "def f():\n\\\n    return 1\n"
ast.parse(text)
print("ast.parse: accepted")
try:
    libcst.parse_module(text)
except libcst.ParserSyntaxError as error:
    print("libcst, before the first statement of a block: rejected,", error.message)
else:
    raise SystemExit("libcst accepts it now")
libcst.parse_module("def f():\n    x = 1\n\\\n    return x\n")
print("libcst, between two statements: accepted")
PY
