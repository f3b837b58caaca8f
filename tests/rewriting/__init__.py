"""Rewritings of source text that change nothing of what it means, by kind: each is a function from a text to edits."""
