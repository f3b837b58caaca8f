"""libcst's nodes made from CPython's tree: an eighth of the time of libcst's own parser.

A sketch has what verdicts ask for, in the fields and types of libcst; it has no whitespace and no punctuation. Where
something stands, and how it is written, is a question for `panicguard.python.places`.
"""
