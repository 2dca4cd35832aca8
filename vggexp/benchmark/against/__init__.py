"""The contestants: one file each, with a function for each kind of job that it can do."""
