"""Runs as a paper needs them: tables, a methods paragraph, figures as vector files. One module a ``format=``."""
