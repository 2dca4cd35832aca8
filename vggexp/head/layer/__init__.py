"""Layers that several heads use.

May use torch; used by the heads one folder up and by head/detection.
"""
