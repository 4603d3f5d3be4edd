"""What stands before the handlers: plain ASGI middleware, each with one concern."""
