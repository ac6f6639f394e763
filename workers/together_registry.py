"""The models of Together: the catalogue that everybody may ask, and the project's own registry of tuned ones."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from workers.provider import ErrorKind, ListedModel, ProviderError
from workers.together_errors import plain_words

if TYPE_CHECKING:
    from collections.abc import Callable

    import together
    from together.types import Model


class Registry:
    """The project that the key belongs to, and its models. `client` gives the SDK's client, made on first use."""

    def __init__(self, client: Callable[[], together.Together]) -> None:
        self._client = client

    @functools.cached_property
    def project(self) -> str:
        """The project's id; ProviderError where the key belongs to none."""
        with plain_words():
            project: Any = getattr(self._client().whoami(), "project", None)
        if project is None:
            raise ProviderError(
                ErrorKind.REFUSED,
                "no-project",
                "The provider's key belongs to no project.",
                "Whoever runs me must set TUNEROOM_TOGETHER_API_KEY to a project's key.",
            )
        return project.id

    def tuned(self, name: str) -> Model | None:
        """Return the project's model of that name ("project/model", or without the project)."""
        project, bare = self.project, _bare(name)
        with plain_words():
            models = self._client().models.list(project_id=project)
            return next((one for one in models if _bare(one.name) == bare), None)

    def listed(self) -> list[ListedModel]:
        """Return the catalogue's models and the project's own; Together tells of no day on which one stops."""
        project = self.project
        with plain_words():
            shared = [one.name for one in self._client().models.list_supported()]
            own = [one.name for one in self._client().models.list(project_id=project)]
        return [ListedModel(name=name) for name in [*shared, *own]]

    def delete(self, name: str) -> None:
        """Delete a tuned model; one that is gone already is no error."""
        model = self.tuned(name)
        if model is None:
            return
        try:
            with plain_words():
                self._client().models.delete(model.id, project_id=model.project_id)
        except ProviderError as error:
            if error.kind is not ErrorKind.MISSING:
                raise


def _bare(name: str) -> str:
    return name.rsplit("/", 1)[-1]
