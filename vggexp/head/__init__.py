"""Heads: what turns a backbone's features into a task's outputs; one file each."""
