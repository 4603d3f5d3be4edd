"""What of a change is asked about, what is only checked, and what is left out, each with its reason."""
