"""Dividing a file's rows so that no part knows another: what belongs together, and the draw."""
