"""The LightningModule and its parts: freezing and its checks, optimizer, scores.

May use scheduler.py and below; used by trainer/.
"""
