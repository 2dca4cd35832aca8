"""Metrics, one file per task: running scores over a split, on torchmetrics.

May use boxes.py and types.py; used by task/.
"""
