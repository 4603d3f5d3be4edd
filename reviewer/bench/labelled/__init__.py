"""Changes of which is known what is wrong with them: read from files, and mined from histories."""
