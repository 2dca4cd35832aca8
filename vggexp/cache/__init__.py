"""The feature cache: features of frozen stages, computed once.

May use the learner and what stands below it; used by trainer/.
"""
