"""Whatever holds the rows: recognised, decoded, opened within limits, and given out as numbered lines of JSON."""
