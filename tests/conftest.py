"""Fixtures every test may ask for; their code is in `tests/support/`."""

pytest_plugins = ["tests.support.fixtures"]
