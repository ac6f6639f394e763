"""Datasets to begin from: for each kind of work a description, what to write where, and rows that check clean."""
