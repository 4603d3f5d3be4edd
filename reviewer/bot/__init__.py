"""The bot: from webhooks to reviews and answers, by way of a queue."""
