"""The training process: `python -m trainer.train JOB_DIRECTORY`, started and ended by the server.

It dies with the server: its standard input is a pipe whose other end the server holds, and it ends when that
closes. A byte in the pipe asks it to pause: it saves its state after the step it is in, and ends.
A lock on the job's directory keeps a second process from training beside one that is still going.
"""

from __future__ import annotations

import csv
import fcntl
import os
import sys
import threading
import time
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.corpus import Corpus, learn_vocabulary
from trainer.disk import write_bytes, write_json
from trainer.gpt import Shape
from trainer.journal import Journal
from trainer.lines import Pair, TrainingFileError, read_examples
from trainer.plan import EVENTS, OUTCOME, RESULTS, TRAINING, VALIDATION, Plan
from trainer.training import Paused, Run, TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
}


def main(home: Path) -> None:
    pausing = threading.Event()
    threading.Thread(target=heed_the_server, args=(pausing,), daemon=True).start()
    with (home / "training.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(b"%d\n" % os.getpid())
        lock.flush()
        try:
            outcome = train(home, Plan.load(home), pausing)
        except Paused:
            return
        except TrainingError as error:
            outcome = {"error": {"code": error.code, "message": str(error), "param": error.param}}
        except TrainingFileError as error:
            outcome = {"error": {"code": "invalid_training_file", "message": str(error), "param": "training_file"}}
        write_json(home / OUTCOME, outcome)


def heed_the_server(pausing: threading.Event) -> None:
    while os.read(0, 1):
        pausing.set()
    os._exit(1)


def train(home: Path, plan: Plan, pausing: threading.Event) -> dict[str, Any]:
    """Run the plan; returns what the server records of it. Raises TrainingError and Paused."""
    journal = Journal(home / EVENTS, plan.job_id)
    vocabulary = learn_vocabulary(home / TRAINING)
    context = Shape(vocabulary.size).context
    data = Corpus(home / TRAINING, vocabulary, context)
    validation = Corpus(home / VALIDATION, vocabulary, context) if (home / VALIDATION).exists() else None
    tell_truncation(journal, data, context)
    kind = "prompt" if isinstance(next(read_examples(home / TRAINING)), Pair) else "chat"
    run = Run(plan, home, journal, vocabulary, data, validation, kind)
    run.train(pausing)
    write_bytes(home / RESULTS, result_csv(run.rows))
    return {"trained_tokens": data.tokens * plan.n_epochs, "cpu_s": round(time.process_time(), 2)}


def tell_truncation(journal: Journal, data: Corpus, context: int) -> None:
    """Warn of examples that were cut. Raises TrainingError if nothing to learn from is left."""
    if data.truncated:
        said = f"{data.truncated} of {len(data)} examples are longer than {context} tokens and were cut at the end."
        journal.append("truncated", said, level="warn")
    if not data.trained_tokens:
        said = f"No answer lies within the first {context} tokens of its example, so there is nothing to learn."
        raise TrainingError("invalid_training_file", said, "training_file")


def result_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row.get(name, "") for name in COLUMNS.values()] for row in rows)
    return text.getvalue().encode()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
