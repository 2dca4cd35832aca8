"""What watches a training and writes what it sees.

May use the learner and task/; chosen in YAML, attached by trainer/.
"""
