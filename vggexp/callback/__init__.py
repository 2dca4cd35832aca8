"""What watches a run without changing it: pictures, progress, logs. The only package that knows wandb."""
