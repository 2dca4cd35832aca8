"""Turns the command line into a checked plain dict, without torch: Hydra, names, help, checks.

May use the nouns; used by sweep/ and the verbs.
"""
