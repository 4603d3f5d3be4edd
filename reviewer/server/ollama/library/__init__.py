"""The models on this machine: what is told of them, and how they come and go."""
