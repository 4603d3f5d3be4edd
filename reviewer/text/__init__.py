"""Text and JSON that cross a border: what is seen, escaped, measured and checked."""
