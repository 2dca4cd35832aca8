"""Uses of a finished run: predict, export, demo, graft.

May use trainer/build.py and below; used by command/.
"""
