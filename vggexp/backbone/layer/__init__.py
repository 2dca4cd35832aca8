"""What several backbones use: normalisation, and stages that are slices of a list of layers.

May use torch and types.py; used by the backbones one folder up.
"""
