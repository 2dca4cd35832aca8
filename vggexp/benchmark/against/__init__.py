"""Who does it: one file a contestant, with a function for each kind of job that it can do."""
