"""Freeze policies, one file per option: (epoch, parameter) to a learning-rate factor.

May use types.py; applied by learner/freezing.py.
"""
