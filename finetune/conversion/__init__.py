"""Rows of one training format written in another, and columns of other names mapped to those of a format."""
