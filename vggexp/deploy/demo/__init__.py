"""A page for this machine alone on which one drops a picture and sees what a run makes of it."""
