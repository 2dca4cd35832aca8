"""How a trained network is applied to an image: whole or in tiles, once or several times. ``evaluation=``.

May use sample/ and below; used by learner/ and the rooms above it.
"""
