"""Metrics, one file a task: running scores over a split, on torchmetrics.

May use boxes.py and types.py; used by task/.
"""
