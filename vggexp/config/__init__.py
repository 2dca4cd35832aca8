"""Words to a checked plain dict, without torch: Hydra, names, help, checks.

May use the nouns; used by sweep/ and the verbs.
"""
