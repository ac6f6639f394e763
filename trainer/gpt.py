"""A GPT-2-shaped transformer as one forward function over numpy, differentiated by autograd.

The parameters are a plain mapping from Hugging Face's GPT-2 tensor names to float32 arrays, in GPT-2's own layout
(``Conv1D`` weights are ``(inputs, outputs)``), so that saving is a copy and not a conversion.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# autograd ships no types: what comes out of it is annotated where it leaves this module.

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import autograd
import autograd.numpy
import numpy as np
from autograd.extend import defvjp, primitive
from autograd.tracer import getval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from trainer.batches import Batch

anp: Any = autograd.numpy
value_and_grad: Any = autograd.value_and_grad

Floats: TypeAlias = "NDArray[np.float32]"
Params: TypeAlias = "dict[str, NDArray[np.float32]]"

FORBIDDEN = np.float32(-1e9)  # what a masked attention score is set to; exp() of it is exactly 0


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model: tokens in its vocabulary and context, width, layers and attention heads."""

    vocabulary: int
    context: int = 1024
    width: int = 64
    layers: int = 2
    heads: int = 4


def initial_params(shape: Shape, seed: int) -> Params:
    """Draw initial weights: normal, residual projections scaled down by depth, as GPT-2 does.

    The deviations are not GPT-2's 0.02: at a width of 64 the signal drowns in it. On the ticket-routing sample these
    answer 98% of held-out rows where 0.02 answers 60% (docs/adr/0004); positions start near 0, so that a word first
    counts wherever it stands.
    """
    rng = np.random.default_rng(seed)

    def normal(*size: int, deviation: float = 0.06) -> Floats:
        return rng.normal(0.0, deviation, size).astype(np.float32)

    def zeros(size: int) -> Floats:
        return np.zeros(size, np.float32)

    width, residual = shape.width, 0.06 / math.sqrt(2 * shape.layers)
    params: Params = {
        "transformer.wte.weight": normal(shape.vocabulary, width, deviation=0.05),
        "transformer.wpe.weight": normal(shape.context, width, deviation=0.002),
    }
    for layer in range(shape.layers):
        at = f"transformer.h.{layer}"
        params |= {
            f"{at}.ln_1.weight": np.ones(width, np.float32),
            f"{at}.ln_1.bias": zeros(width),
            f"{at}.attn.c_attn.weight": normal(width, 3 * width),
            f"{at}.attn.c_attn.bias": zeros(3 * width),
            f"{at}.attn.c_proj.weight": normal(width, width, deviation=residual),
            f"{at}.attn.c_proj.bias": zeros(width),
            f"{at}.ln_2.weight": np.ones(width, np.float32),
            f"{at}.ln_2.bias": zeros(width),
            f"{at}.mlp.c_fc.weight": normal(width, 4 * width),
            f"{at}.mlp.c_fc.bias": zeros(4 * width),
            f"{at}.mlp.c_proj.weight": normal(4 * width, width, deviation=residual),
            f"{at}.mlp.c_proj.bias": zeros(width),
        }
    params["transformer.ln_f.weight"] = np.ones(width, np.float32)
    params["transformer.ln_f.bias"] = zeros(width)
    return params


@primitive
def rows_of(table: Floats, rows: NDArray[np.int64]) -> Floats:
    """Take rows of a table. Plain indexing would do, but its gradient (``np.add.at``) costs as much as a layer."""
    return table[rows]


def rows_of_gradient(_: Floats, table: Floats, rows: NDArray[np.int64]) -> Callable[[Floats], Floats]:
    """Sum what flows back into each row, over the runs of equal rows in sorted order."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))

    def gradient(flowing: Floats) -> Floats:
        total = np.zeros_like(table)
        if len(rows):
            total[ordered[starts]] = np.add.reduceat(flowing[order], starts, axis=0)
        return total

    return gradient


defvjp(rows_of, rows_of_gradient, argnums=(0,))


def layer_norm(x: Any, weight: Any, bias: Any) -> Any:
    share = np.float32(1 / x.shape[-1])  # not anp.mean: its gradient divides by an int64, which makes all of it float64
    centred = x - anp.sum(x, axis=-1, keepdims=True) * share
    variance = anp.sum(centred * centred, axis=-1, keepdims=True) * share
    return centred / anp.sqrt(variance + np.float32(1e-5)) * weight + bias


def gelu(x: Any) -> Any:
    """GPT-2's tanh form of GELU (``gelu_new``)."""
    inner = np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
    return np.float32(0.5) * x * (np.float32(1) + anp.tanh(inner))


def softmax(scores: Any) -> Any:
    exponents = anp.exp(scores - np.max(getval(scores), axis=-1, keepdims=True))
    return exponents / anp.sum(exponents, axis=-1, keepdims=True)


def linear(params: Params, at: str, x: Any) -> Any:
    """GPT-2's Conv1D. x is (rows, inputs): numpy hands only two-dimensional products to BLAS."""
    return anp.matmul(x, params[f"{at}.weight"]) + params[f"{at}.bias"]


def norm(params: Params, at: str, x: Any) -> Any:
    return layer_norm(x, params[f"{at}.weight"], params[f"{at}.bias"])


def attention(params: Params, at: str, x: Any, heads: int, batch: int) -> Any:
    """Causal self-attention among the rows of each example; x is (batch * length, width)."""
    rows, width = x.shape
    length = rows // batch
    parts = anp.split(linear(params, f"{at}.c_attn", x), 3, axis=-1)
    by_head = (batch, length, heads, width // heads)
    query, key, value = (anp.transpose(anp.reshape(part, by_head), (0, 2, 1, 3)) for part in parts)
    scores = anp.matmul(query * np.float32(1 / math.sqrt(width // heads)), anp.transpose(key, (0, 1, 3, 2)))
    future = np.triu(np.full((length, length), FORBIDDEN), 1)
    seen = anp.matmul(softmax(scores + future), value)
    joined = anp.reshape(anp.transpose(seen, (0, 2, 1, 3)), (rows, width))
    return linear(params, f"{at}.c_proj", joined)


def feed_forward(params: Params, at: str, x: Any) -> Any:
    return linear(params, f"{at}.c_proj", gelu(linear(params, f"{at}.c_fc", x)))


def hidden_states(params: Params, shape: Shape, ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> Any:
    """Run the transformer over ids (batch, length); returns the wanted flat positions after the last norm.

    The last layer's feed-forward is computed for those positions alone, which is exact: it looks at nothing else.
    """
    batch, length = ids.shape
    places = np.tile(np.arange(length), batch)
    x = rows_of(params["transformer.wte.weight"], ids.reshape(-1)) + rows_of(params["transformer.wpe.weight"], places)
    for layer in range(shape.layers):
        at = f"transformer.h.{layer}"
        x = x + attention(params, f"{at}.attn", norm(params, f"{at}.ln_1", x), shape.heads, batch)
        if layer == shape.layers - 1:
            x = rows_of(x, wanted)
        x = x + feed_forward(params, f"{at}.mlp", norm(params, f"{at}.ln_2", x))
    return norm(params, "transformer.ln_f", x)


def answer_logits(params: Params, shape: Shape, batch: Batch) -> Any:
    """The logits (targets, vocabulary) at the positions that predict a trained token, and only there."""
    hidden = hidden_states(params, shape, batch.ids, batch.positions)
    return anp.matmul(hidden, anp.transpose(params["transformer.wte.weight"]))


def answer_loss(params: Params, shape: Shape, batch: Batch) -> tuple[Any, int]:
    """Summed cross-entropy in nats over the batch's targets, and how many of them the model ranks first."""
    logits = answer_logits(params, shape, batch)
    shifted = logits - np.max(getval(logits), axis=-1, keepdims=True)
    chosen = shifted[np.arange(len(batch.targets)), batch.targets]
    loss = anp.sum(anp.log(anp.sum(anp.exp(shifted), axis=-1)) - chosen)
    correct = int(np.sum(np.argmax(getval(shifted), axis=-1) == batch.targets))
    return loss, correct


def loss_and_gradients(params: Params, shape: Shape, batch: Batch) -> tuple[float, int, Params]:
    """Like `answer_loss`, with the gradient of the summed loss for every parameter."""
    correct = 0

    def loss(weights: Params) -> Any:
        nonlocal correct
        total, correct = answer_loss(weights, shape, batch)
        return total

    total, gradients = value_and_grad(loss)(params)
    return float(total), correct, gradients
