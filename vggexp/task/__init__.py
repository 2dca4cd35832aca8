"""Tasks: each owns its targets, loss, scores, predictions and pictures."""
