"""Heads, one file per option: stage features to outputs.

May use torch and types.py; built by trainer/build.py, called by the learner.
"""
