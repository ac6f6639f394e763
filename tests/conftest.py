"""Fixtures every test may ask for; their code is in `tests/support/`."""

from __future__ import annotations

from hypothesis import settings

pytest_plugins = ["tests.support.fixtures", "tests.support.order"]

# The same examples on every machine and in every run, so that what is red is red for everybody;
# `./run pytest --hypothesis-profile search` looks for new ones.
settings.register_profile("default", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None)
settings.load_profile("default")
