"""The use cases that tell instead of review: index, ask, describe."""
