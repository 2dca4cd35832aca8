"""Scores over a split, in the names and definitions that the papers use."""
