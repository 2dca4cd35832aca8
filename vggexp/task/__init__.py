"""Tasks own targets, losses, metrics, predictions and drawing.

May use loss/ and below, but no network; called by the learner.
"""
