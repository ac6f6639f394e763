"""`tuneroom rescue` against the trainer, by the SDK: what it trained is listed and brought home."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.trainer.conftest import KEY, ROOT, SAMPLE
from tuneroom.settings import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.trainer.conftest import Trained

OUTSIDE = ("SLACK_", "OPENAI_", "REDIS_", "TUNEROOM_")


def test_a_trained_model_is_listed_saved_and_quoted(trained: Trained, tmp_path: Path) -> None:
    kept = {name: value for name, value in environment().items() if not name.startswith(OUTSIDE)}
    variables = {
        "OPENAI_BASE_URL": str(trained.trainer.client.base_url), "OPENAI_API_KEY": KEY, "TUNEROOM_PROVIDER": "trainer",
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-P", "-m", "tuneroom", "rescue", "--json", "--out", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=kept | variables, check=False, cwd=tmp_path
    )
    told, job = json.loads(done.stdout), trained.job
    # other tests share this trainer, and have deleted files of theirs
    gone = told["not_saved"]
    assert done.returncode == (1 if gone else 0), done.stderr
    assert not [one for one in gone if one["run"] == job.id or not one["is_gone"]]
    (tune,) = [one for one in told["fine_tunes"] if one["run"] == job.id]
    assert (tune["model"], tune["base"], tune["suffix"]) == (job.fine_tuned_model, "toy-gpt", "tickets")
    assert tune["trained_tokens"] == job.trained_tokens
    assert tune["stops"] is None
    home = tmp_path / "trainer" / f"tickets-{job.id}"
    assert (home / "results.csv").read_bytes().startswith(b"step,train_loss,")
    events = [json.loads(line) for line in (home / "events.jsonl").read_text().splitlines()]
    assert len({event["id"] for event in events}) == len(events) == len(trained.trainer.events(job.id))
    assert [point["step_number"] for point in json.loads((home / "checkpoints.json").read_text())]
    assert json.loads((home / "run.json").read_text())["said"]["metadata"] == {"intent": "sample"}
    lines = SAMPLE.read_text().splitlines()
    (quote,) = [one for one in told["quotes"] if job.id in one["runs"]]
    saved = [json.loads(line) for line in (tmp_path / quote["path"]).read_text().splitlines()]
    assert saved == [json.loads(line) for line in lines[20:]]
    assert quote["verdict"] == "accepted"
    assert [one["high_usd"] for one in quote["models"] if one["model"] == "toy-gpt"] == [0]
