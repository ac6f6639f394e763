"""A Slack workspace on this machine: a stand-in to try the bot with, and to test it against."""
