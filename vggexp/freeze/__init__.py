"""Freeze policies, one file per option: (epoch, parameter) to a learning-rate factor.

May use types.py and transfer/adapters.py; applied by learner/freezing.py.
"""
