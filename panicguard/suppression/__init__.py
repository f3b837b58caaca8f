"""Suppression comments: read, placed, matched with diagnostics, and written."""
