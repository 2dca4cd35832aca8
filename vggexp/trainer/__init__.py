"""Runs one training from start to end, and builds objects from the config.

May use every room below; used by command/ and deploy/.
"""
