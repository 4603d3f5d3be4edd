"""Commands that people write in comments: reading them, who may give them, and their answers."""
