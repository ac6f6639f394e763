"""Preference pairs: one prompt, the answer that is preferred and the one that is not."""

COLUMNS = frozenset({"input", "preferred_output", "non_preferred_output", "prompt", "chosen", "rejected"})
