"""How well features suit a task, without training on them: a probe, and scores from the literature.

All functions take arrays: features (N, D) and targets of the same N images. Only ``trainer/advice`` uses them.
"""
