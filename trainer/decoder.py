"""The model word by word: what attention has seen is kept, so that each new token costs one short pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trainer.gpt import FORBIDDEN, feed_forward, linear, norm, softmax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.gpt import Floats
    from trainer.saved_model import SavedModel


class Decoder:
    """One conversation with a model: keys and values (layers, heads, context, width / heads) of the tokens so far."""

    def __init__(self, model: SavedModel) -> None:
        self._params, self._shape = model.params, model.shape
        per_head = model.shape.width // model.shape.heads
        size = (model.shape.layers, model.shape.heads, model.shape.context, per_head)
        self._keys, self._values = np.zeros(size, np.float32), np.zeros(size, np.float32)
        self.length = 0

    def feed(self, ids: Sequence[int]) -> Floats:
        """Take in tokens (at least one, and no more than the context has left); returns the next one's logits."""
        places = slice(self.length, self.length + len(ids))
        table = self._params["transformer.wte.weight"]
        x = table[np.array(ids)] + self._params["transformer.wpe.weight"][places]
        for layer in range(self._shape.layers):
            at = f"transformer.h.{layer}"
            x = x + self._attend(layer, norm(self._params, f"{at}.ln_1", x), places)
            x = x + feed_forward(self._params, f"{at}.mlp", norm(self._params, f"{at}.ln_2", x))
        self.length = places.stop
        return norm(self._params, "transformer.ln_f", x[-1:])[0] @ table.T

    def _attend(self, layer: int, x: Floats, places: slice) -> Floats:
        at, heads = f"transformer.h.{layer}.attn", self._shape.heads
        fresh = len(x)
        mixed = linear(self._params, f"{at}.c_attn", x).reshape(fresh, 3, heads, -1)
        query, key, value = mixed.transpose(1, 2, 0, 3)
        self._keys[layer, :, places], self._values[layer, :, places] = key, value
        seen = slice(0, places.stop)
        scores = query @ self._keys[layer, :, seen].transpose(0, 2, 1) * np.float32(1 / math.sqrt(query.shape[-1]))
        future = np.triu(np.full((fresh, places.stop), FORBIDDEN), places.start + 1)
        joined = (softmax(scores + future) @ self._values[layer, :, seen]).transpose(1, 0, 2).reshape(fresh, -1)
        return linear(self._params, f"{at}.c_proj", joined)
