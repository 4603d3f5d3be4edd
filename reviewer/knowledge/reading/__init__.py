"""From the bytes of a file to its passages and symbols; runs in the process that parses."""
