"""Loggers: metrics.jsonl and Weights & Biases.

May use callback/ and below; the only package that imports wandb; attached by trainer/.
"""
