"""What forges tell of their own accord: each delivery is verified before it is read, and becomes one event."""
