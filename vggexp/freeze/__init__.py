"""Freeze policies: each a pure function of the epoch and of what a parameter is."""
