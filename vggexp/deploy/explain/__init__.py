"""What ``explain`` shows of a finished run on a photo: where it looks, what its stages compute, what a cell can see."""
