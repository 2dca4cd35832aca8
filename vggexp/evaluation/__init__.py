"""How a trained network is applied to an image: whole or in tiles, once or several times. ``evaluation=``.

Imports types.py and errors.py; used by learner/ and the rooms above it.
"""
