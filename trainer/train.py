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
from trainer.gpt import Shape, initial_params
from trainer.journal import Journal
from trainer.lines import Pair, TrainingFileError, read_examples
from trainer.objectives import ByExample
from trainer.plan import BASE, EVENTS, OUTCOME, RESULTS, TRAINING, VALIDATION, Plan
from trainer.preference import ByPreference, Pairs
from trainer.saved_model import SavedModel, load_model
from trainer.template import lay_out, lay_out_other, lay_out_preferred
from trainer.training import Paused, Run, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trainer.template import Piece

ANCHORED = "The base model knows nothing: beside preferring the preferred answers to the others, it learns to give them"


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
    run = begin(home, plan, journal)
    run.train(pausing)
    write_bytes(home / RESULTS, result_csv(run.objective.columns, run.rows))
    return {"trained_tokens": tokens_of(run.data) * plan.n_epochs, "cpu_s": round(time.process_time(), 2)}


def begin(home: Path, plan: Plan, journal: Journal) -> Run:
    """Put a run together: the model it begins with, its data, and how it learns. Raises TrainingError."""
    model = first_model(home, plan)
    validation = home / VALIDATION if (home / VALIDATION).exists() else None
    if plan.beta is None:
        data = corpus(home / TRAINING, model, lay_out)
        tell_truncation(journal, data, model.shape.context)
        return Run(
            plan, home, journal, model, ByExample(), data, corpus(validation, model, lay_out) if validation else None
        )
    is_new = not (home / BASE).exists()
    if is_new:
        journal.append("anchored", ANCHORED)
    return Run(
        plan,
        home,
        journal,
        model,
        ByPreference(plan.beta, anchor=1.0 if is_new else 0.0),
        pairs(home / TRAINING, model, journal),
        pairs(validation, model) if validation else None,
    )


def first_model(home: Path, plan: Plan) -> SavedModel:
    """The model that training goes on from, or one that knows nothing, with a vocabulary of its own."""
    if (home / BASE).exists():
        return load_model(home / BASE)
    vocabulary = learn_vocabulary(home / TRAINING)
    shape = Shape(vocabulary.size)
    kind = "prompt" if isinstance(next(read_examples(home / TRAINING)), Pair) else "chat"
    return SavedModel(initial_params(shape, plan.seed), shape, vocabulary, kind)


def corpus(path: Path, model: SavedModel, pieces_of: Callable[[Any], Sequence[Piece]]) -> Corpus:
    return Corpus(path, model.vocabulary, model.shape.context, pieces_of)


def pairs(path: Path, model: SavedModel, journal: Journal | None = None) -> Pairs:
    """The pairs of a file, measured by the model as it is before it learns. Raises TrainingError."""
    preferred, other = (corpus(path, model, pieces_of) for pieces_of in (lay_out_preferred, lay_out_other))
    if journal is not None:
        tell_truncation(journal, preferred, model.shape.context)
    return Pairs(preferred, other, model.params, model.shape)


def tokens_of(data: Sequence[Any]) -> int:
    return data.tokens if isinstance(data, (Corpus, Pairs)) else 0


def tell_truncation(journal: Journal, data: Corpus, context: int) -> None:
    """Warn of examples that were cut. Raises TrainingError if nothing to learn from is left."""
    if data.truncated:
        said = f"{data.truncated} of {len(data)} examples are longer than {context} tokens and were cut at the end."
        journal.append("truncated", said, level="warn")
    if not data.trained_tokens:
        said = f"No answer lies within the first {context} tokens of its example, so there is nothing to learn."
        raise TrainingError("invalid_training_file", said, "training_file")


def result_csv(columns: Mapping[str, str], rows: Sequence[dict[str, Any]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(name, "") for name in columns.values()] for row in rows)
    return text.getvalue().encode()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
