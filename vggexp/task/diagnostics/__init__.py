"""Diagnostics beside the scores: confusion matrices, curves, histograms, and the score of each image.

Pure functions, two per task: ``rows`` gives what to keep of each image of a batch (including ``score``, 0 to 1, which
ranks the images); ``diagnostics`` turns the rows of all images into tables and curves, in JSON types.
"""
