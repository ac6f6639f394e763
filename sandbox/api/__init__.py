"""Slack's Web API: one module a family of methods, one catalog of them all."""
