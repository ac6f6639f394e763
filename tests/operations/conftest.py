"""The stack that the flow tests share, and one beside it for those who must find everything in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.conftest import pytest_runtest_makereport, stack, talk
from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pytest_runtest_makereport", "stack", "talk"]


@pytest.fixture(scope="session")
def orderly_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running Tuneroom in which nothing was ever killed or deleted."""
    with Stack(tmp_path_factory.mktemp("orderly") / "home") as running:
        yield running
