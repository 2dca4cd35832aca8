"""The feature cache: features of frozen stages, computed once.

May use the learner and the packages below it; used by trainer/.
"""
