"""The server: the doors of the reviewer and of the engine over HTTP. `asgi.make_app` joins them."""
