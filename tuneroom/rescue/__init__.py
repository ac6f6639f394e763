"""`tuneroom rescue`: fine-tunes that exist already are listed by the day they stop, saved, and quoted elsewhere."""
