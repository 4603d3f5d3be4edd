"""The verbs that run and attend to servers: serve, bot, queue."""
