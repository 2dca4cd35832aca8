"""Backbones: images to stage features.

May use torch and types.py; built by trainer/build.py, called by the learner.
"""
