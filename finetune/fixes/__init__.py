"""Mending what a check found: each fix takes rows and gives rows, in their order, and says which it touched."""
