"""A run over files: linting one, many in workers, remembering and writing."""
