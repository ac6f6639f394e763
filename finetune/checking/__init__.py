"""What a check does with the rows: rules, aggregates, duplicates, sensitive data, and the conclusion drawn."""
