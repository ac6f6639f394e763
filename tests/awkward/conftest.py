"""The same running Tuneroom, and the same conversations, as the flow tests have."""

from tests.flows.conftest import pytest_runtest_makereport, stack, talk

__all__ = ["pytest_runtest_makereport", "stack", "talk"]
