"""Checkpoints, and initialisation from the weights of another run or a file.

May use run_folder.py and types.py; used by trainer/ and deploy/.
"""
