"""The use cases, as functions of values: what the commands, and later a server and a bot, have done."""
