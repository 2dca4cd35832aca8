"""One file a verb: ``run(config)`` takes the verb's resolved config, a plain dict, and returns the exit code."""
