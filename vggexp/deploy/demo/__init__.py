"""A local web page that shows the predictions of a run for an uploaded picture."""
