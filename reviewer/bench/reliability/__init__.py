"""The reliability diagram: how often what was given a probability was wrong, as a page and as a picture."""
