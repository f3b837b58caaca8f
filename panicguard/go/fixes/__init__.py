"""The fixes of Go, one file for each shape that is rewritten, and what the shapes share."""
