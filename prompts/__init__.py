"""Prompt templates and schemas: data, no logic."""
