"""Where changes come from and reviews go: one file per forge."""
