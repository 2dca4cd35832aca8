"""A finished run put to use: predict, export, demo, graft.

May use trainer/build.py and what stands below; used by command/.
"""
