"""Models that are made of what a run left, at a provider whose runs end with an adapter and not with a model.

At Nebius a checkpoint becomes a model by POST /v0/models, which answers under a name of the provider's own once its
status is "active" (docs.tokenfactory.nebius.com/api-reference/models/create-a-custom-model). Such a model is paid by
the token like its base and costs nothing while nobody asks it, so it is made as soon as its run has ended. It is looked
up first, by the run and the checkpoint that the provider lists with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from workers.intent_tags import tag_of
from workers.openai_checkpoints import forget, newest
from workers.openai_dialects import listed_as
from workers.openai_errors import plain_words
from workers.provider import ErrorKind, ProviderError

if TYPE_CHECKING:
    import openai

    from workers.provider import Run

OVER: Final = frozenset({"error", "deleted"})


class Adapters:
    """The adapters of one account. A checkpoint is called "RUN:CHECKPOINT", a model made of it as the provider says."""

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client
        self._address = str(client.base_url).rstrip("/").removesuffix("/v1") + "/v0/models"
        self._known: dict[str, str] = {}

    def of_run(self, run: Run) -> str:
        """Return the name of the model made of a finished run's last checkpoint, made now if need be.

        "" where there is no checkpoint; the checkpoint's name where the provider makes no model of it.
        """
        left = newest(self._client, run.id)
        if not left:
            return ""
        adapter = f"{run.id}:{left[0].id}"
        try:
            return self._model_of(adapter, run.base, run.suffix)
        except ProviderError as error:
            if error.is_final:  # the run is over and paid: that it has no model is said by the probe
                return adapter
            raise

    def asked_as(self, model: str) -> str:
        """Return what a model is asked by: an adapter by the model that is made of it, every other by its own name."""
        if not model.startswith("ftjob-"):
            return model
        with plain_words():
            run = self._client.fine_tuning.jobs.retrieve(model.partition(":")[0])
        return self._model_of(model, run.model, getattr(run, "suffix", None) or "")

    def delete(self, model: str) -> None:
        """Delete a model, or the weights of a checkpoint, for good; what is gone already is no error."""
        if model.startswith("ftjob-"):
            forget(self._client, model)
            return
        try:
            with plain_words():
                self._client.delete(f"{self._address}/{model}", cast_to=object)
        except ProviderError as error:
            if error.kind is not ErrorKind.MISSING:
                raise

    def _model_of(self, adapter: str, base: str, name: str) -> str:
        if adapter not in self._known:
            self._known[adapter] = self._found(adapter) or self._made(adapter, base, name)
        return self._known[adapter]

    def _found(self, adapter: str) -> str:
        with plain_words():
            listed = self._client.get(self._address, cast_to=object)
        for one in _objects(listed):
            if f"{one.get('job_id')}:{one.get('checkpoint_id')}" == adapter and one.get("status") not in OVER:
                return str(one["name"])
        return ""

    def _made(self, adapter: str, base: str, name: str) -> str:
        body = {
            "name": name or f"tuneroom-{tag_of(adapter)}",
            "base_model": listed_as(base, ""),
            "source": adapter,
        }
        with plain_words():
            made = cast("dict[str, Any]", self._client.post(self._address, body=body, cast_to=object))
        return str(made["name"])


def _objects(listed: object) -> list[dict[str, Any]]:
    """The list that is documented, or an object around it."""
    if isinstance(listed, dict):
        wrapped = cast("dict[str, Any]", listed)
        listed = wrapped.get("data") or wrapped.get("models") or []
    return cast("list[dict[str, Any]]", listed)
