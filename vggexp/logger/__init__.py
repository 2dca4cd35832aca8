"""Loggers: metrics.jsonl and Weights & Biases.

May use callback/ and below, and alone imports wandb; attached by trainer/.
"""
