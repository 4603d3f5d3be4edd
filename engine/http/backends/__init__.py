"""What each kind of server can do: one module each, over what they share."""
