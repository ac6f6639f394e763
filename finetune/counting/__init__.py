"""Tokens, counted exactly as OpenAI's models count them, and the distribution of example lengths."""
