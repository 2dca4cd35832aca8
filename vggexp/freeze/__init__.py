"""Freeze policies, one file a word: (epoch, parameter) to a learning-rate factor.

May use types.py; applied by learner/freezing.py.
"""
