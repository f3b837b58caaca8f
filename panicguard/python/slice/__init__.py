"""Program slicing: what of a module a verdict depends on, so that only that is parsed with all its whitespace.

It knows no rule: words, and the evidence that checks declare, decide what is kept. It stands on Python's own tree of
the whole text and keeps too much rather than too little: what is kept decides the cost, never the verdict (a test
compares both over whole code bases). A row that is kept keeps its columns, and `Slice.rows` its number; what is left
out and binds a name that is read stays as a stub.

The way through: `parse` (the tree) -> `layout` (rows of statements) -> `outline` (functions, and what is outside) ->
`words` (where the words are code) -> `functions` (rows that matter, by `dataflow` and `evidence`) -> `toplevel`
(statements that matter outside) -> `render` (the text).
"""
