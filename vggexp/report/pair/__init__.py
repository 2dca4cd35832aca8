"""What ``compare`` found between two runs, for a terminal and as a page.

Used by command/compare.py, which hands over plain values.
"""
