"""Losses, one file a word: (outputs, target) to a scalar.

May use boxes.py and types.py; called by task/.
"""
