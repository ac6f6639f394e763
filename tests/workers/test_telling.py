"""How many rows a file has is told from the part that was read."""

import pytest

from finetune.check import Progress
from workers.stages.check import rows_expected


@pytest.mark.parametrize(
    ("rows", "bytes_read", "size_bytes", "expected"),
    [
        (40_000, 4_000_000, 11_200_000, 112_000),
        (0, 4_000_000, 11_200_000, 0),  # nothing was read as a row yet
        (40_000, 11_200_000, 11_200_000, 0),  # all was read: a workbook's rows come after its bytes
        (40_000, 4_000_000, 0, 0),  # the size is not known
    ],
)
def test_rows_are_expected_as_the_part_that_was_read_has_them(
    rows: int, bytes_read: int, size_bytes: int, expected: int
) -> None:
    assert rows_expected(Progress(rows, bytes_read), size_bytes) == expected
