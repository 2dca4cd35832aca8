"""Checkpoints, and what starts from the weights of another run.

May use run_folder.py and types.py; used by trainer/ and deploy/.
"""
