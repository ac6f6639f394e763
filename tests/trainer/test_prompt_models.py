"""Models trained on prompts with completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob

    from tests.trainer.conftest import TrainerProcess

CAPITALS = {
    "France": "Paris", "Spain": "Madrid", "Italy": "Rome", "Norway": "Oslo", "Kenya": "Nairobi", "Peru": "Lima",
    "Egypt": "Cairo", "Japan": "Tokyo", "Cuba": "Havana", "Ghana": "Accra", "Iran": "Tehran", "Nepal": "Kathmandu",
}  # fmt: skip


@pytest.fixture(scope="module")
def job(trainer: TrainerProcess) -> FineTuningJob:
    rows = [{"prompt": f"{land} ->", "completion": f" {city} END of {land}"} for land, city in CAPITALS.items()]
    done = trainer.wait(trainer.create(trainer.upload(rows), epochs=50, batch=4).id)
    assert done.status == "succeeded", done.error
    return done


def test_memorised_completion_ends_by_itself(trainer: TrainerProcess, job: FineTuningJob) -> None:
    reply = trainer.client.completions.create(
        model=job.fine_tuned_model, prompt="Japan ->", temperature=0, max_tokens=40
    )
    assert reply.choices[0].text == " Tokyo END of Japan"
    assert reply.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("stop", [" END", ["never", " END", " of"]])
def test_stop_text_ends_the_answer_and_is_left_out(
    trainer: TrainerProcess, job: FineTuningJob, stop: str | list[str]
) -> None:
    reply = trainer.client.completions.create(
        model=job.fine_tuned_model, prompt="Cuba ->", temperature=0, max_tokens=40, stop=stop, logprobs=2
    )
    choice = reply.choices[0]
    assert (choice.text, choice.finish_reason) == (" Havana", "stop")
    assert "".join(choice.logprobs.tokens) == " Havana"
    assert choice.logprobs.text_offset[0] == len("Cuba ->")
    assert all(len(one) == 2 for one in choice.logprobs.top_logprobs)


def test_token_limit_cuts_the_answer(trainer: TrainerProcess, job: FineTuningJob) -> None:
    reply = trainer.client.completions.create(model=job.fine_tuned_model, prompt="Peru ->", temperature=0, max_tokens=1)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 1
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + 1


def test_prompt_model_sends_chats_to_the_other_endpoint(trainer: TrainerProcess, job: FineTuningJob) -> None:
    with pytest.raises(openai.NotFoundError, match="v1/completions"):
        trainer.client.chat.completions.create(
            model=job.fine_tuned_model, messages=[{"role": "user", "content": "Peru"}]
        )
