"""From the bytes of a diff to frozen values, and a diff applied to a text."""
