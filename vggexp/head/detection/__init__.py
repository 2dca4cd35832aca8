"""What the detection heads share: targets for torchvision's parts, and what these return.

May use torch, torchvision and types.py; used by the heads one folder up.
"""
