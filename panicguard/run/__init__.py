"""A run over files: linting one, linting many in workers, caching and writing."""
