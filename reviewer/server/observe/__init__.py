"""What is told of a running server: probes, metrics, and a line a request."""
