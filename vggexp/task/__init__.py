"""Tasks own targets, losses, metrics, predictions and drawing.

May use loss/ and below, never a network; called by the learner.
"""
