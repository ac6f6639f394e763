"""Workbooks and Parquet files, read by a process of its own that may take only so much memory and time.

Such a file is a program for its parser: a small one can ask for any amount of both, and a parser's fault must not be
the checker's. The process is started anew (a fork would take locks of other threads along), gets the file as its
standard input and nothing of the environment, and answers with rows (`finetune.containers.table_reader`).
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING, Final

import msgspec

from finetune.containers.jsonl import Flaw
from finetune.containers.refusal import DAMAGED, TOO_MUCH, Refusal, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from finetune.containers.container import Packed

MEMORY_MAX_BYTES: Final = 1024**3
CPU_MAX_S: Final = 120
SILENCE_MAX_S: Final = 150.0
"""A process that says nothing for so long has been stopped by something; its time on a processor is limited anyway."""

_READ_BYTES: Final = 1024 * 1024
_decode = msgspec.json.Decoder().decode


def limited_rows(
    kind: Packed,
    blocks: Iterable[bytes],
    *,
    memory_bytes: int = MEMORY_MAX_BYTES,
    cpu_s: int = CPU_MAX_S,
    doubts: list[str],
) -> Iterator[tuple[int, bytes | Flaw]]:
    """Yield (number, object as JSON or what is wrong) of a workbook or Parquet file.

    What was doubtful, such as which sheet was read, is added to `doubts`. UnreadableError where the file is damaged,
    is none of its kind, or asks for more than the limits; what was read before it has been yielded.
    """
    with tempfile.TemporaryFile() as spool:
        for block in blocks:
            spool.write(block)
        spool.seek(0)
        command = [sys.executable, "-m", "finetune.containers.table_reader", kind, str(memory_bytes), str(cpu_s)]
        with subprocess.Popen(  # noqa: S603 - our own module, by the interpreter that runs this one
            command,
            stdin=spool,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)), "OPENBLAS_NUM_THREADS": "1"},
        ) as process:
            assert process.stdout is not None
            try:
                yield from _answers(process.stdout, doubts)
                code = process.wait(SILENCE_MAX_S)
            except TimeoutError as error:
                raise UnreadableError(TOO_MUCH) from error
            finally:
                process.kill()
        if code:
            raise UnreadableError(_reason(code))


def _answers(pipe: IO[bytes], doubts: list[str]) -> Iterator[tuple[int, bytes | Flaw]]:
    for line in _lines(pipe):
        kind, number, rest = line[:1], *line[1:].split(b" ", 1)
        match kind:
            case b"r":
                yield int(number), rest
            case b"f":
                code, reason = _decode(rest)
                yield int(number), Flaw(code, reason)
            case b"d":
                doubts.append(_decode(rest))
            case _:
                raise UnreadableError(Refusal(*_decode(rest)))


def _lines(pipe: IO[bytes]) -> Iterator[bytes]:
    pending = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], SILENCE_MAX_S)
        if not ready:
            raise TimeoutError
        block = os.read(pipe.fileno(), _READ_BYTES)
        if not block:
            return
        *whole, pending = (pending + block).split(b"\n")
        yield from whole


def _reason(code: int) -> Refusal:
    return TOO_MUCH if -code in {signal.SIGXCPU, signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV} else DAMAGED
