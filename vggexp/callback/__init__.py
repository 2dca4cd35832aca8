"""Lightning callbacks that observe a training and write files.

May use the learner and task/; chosen in YAML, attached by trainer/.
"""
