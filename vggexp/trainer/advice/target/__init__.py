"""What a probe predicts from the features of a stage: a file for each key of a batch that a task learns from."""
