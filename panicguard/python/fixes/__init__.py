"""The fixes of Python, one file for each shape that is rewritten, and what the shapes share."""
