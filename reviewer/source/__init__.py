"""What git knows of a change, read by its plumbing."""
