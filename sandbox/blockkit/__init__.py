"""Block Kit: what Slack accepts, what a person fills in, and what a screen reader would say."""
