"""In which order test files are begun where several processes run them (`-n`), each file in one process.

What a test costs is mostly what it starts: a running Tuneroom is nine processes, so a file is not divided among
several, nor are files that share what takes long to make. Files that wait for such processes alternate with files that
compute, so that the processors always have something to do; the longest are begun first, so that nobody waits for one
of them at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from xdist.scheduler.loadfile import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest
    from xdist.remote import Producer

TOGETHER: Final = {
    "tests/operations/test_guide.py": "tests/operations/test_doctor.py",  # a Tuneroom in order
    "tests/trainer/test_streams.py": "tests/trainer/test_rescue.py",  # a trained model
    "tests/trainer/test_trained_job.py": "tests/trainer/test_rescue.py",
}
"""Files that are run by the process that runs another one."""
LONGEST: Final = (
    "tests/sandbox/test_unplug.py",
    "tests/benchmarks/test_benchmarks.py",
    "tests/sandbox/test_page_story.py",
    "tests/operations/test_many.py",
)
WAITING: Final = ("tests/awkward/", "tests/flows/", "tests/operations/", "tests/sandbox/test_restart.py")
KEPT_FOR_THE_END: Final = 0.15
"""The share of the files that compute: they are short, so that all processes end at about the same time."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in order of their files; where one process runs all, they stay as they are."""
    if hasattr(config, "workerinput"):
        at = {file: place for place, file in enumerate(in_order(_file(item) for item in items))}
        items.sort(key=lambda item: at[_file(item)])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Hand out files as `--dist loadfile` does, some of them together."""
    return Together(config, log) if cast("str", config.getvalue("dist")) == "loadfile" else None


class Together(LoadFileScheduling):
    """One unit of work for each file, or for the files that go together."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER.get(file, file)


def in_order(files: Iterable[str]) -> list[str]:
    """Return files in the order in which they are to be begun."""
    rest = dict.fromkeys(files)
    longest = [file for file in LONGEST if file in rest]
    waiting = [file for file in rest if file not in longest and file.startswith(WAITING)]
    computing = [file for file in rest if file not in longest and file not in waiting]
    between = (1 - KEPT_FOR_THE_END) * len(computing) / max(1, len(waiting))
    places = {file: float(place) for place, file in enumerate(computing)}
    places |= {file: place * between for place, file in enumerate(waiting)}
    return longest + sorted(waiting + computing, key=places.__getitem__)


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
