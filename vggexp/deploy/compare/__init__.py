"""What ``compare`` says of two finished runs: features, weights, the line between them, and single images.

Every measure is a function of tensors or of recorded values; command/compare.py says which of them apply.
"""
