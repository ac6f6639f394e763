"""The views: pure functions from records and reports to Block Kit."""
