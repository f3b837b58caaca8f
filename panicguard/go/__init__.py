"""The front end for Go: tree-sitter reads, and text edits write."""
