"""Backbones: images to the features of five stages."""
