"""Which engine trains the toy model: autograd over numpy, or numpy with gradients written by hand.

The same piece of work is timed for both: one transformer block's feed-forward with its norm and residual, and
the cross-entropy behind it, forward and backward, at the batch shape of the ticket-routing sample. That is the part
of a step where a hand-written backward pass could win; attention is alike. Beside it stands the whole step as the
trainer takes it. Times are CPU milliseconds of one process,
so that a busy machine tells the same; run it on one thread (OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1). Prints one
JSON object; needs nothing but the project's own environment.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from autograd import numpy as anp
from autograd import value_and_grad
from autograd.tracer import getval

from trainer.adamw import AdamW
from trainer.batches import pad
from trainer.corpus import Corpus, learn_vocabulary
from trainer.gpt import Shape, answer_loss, feed_forward, initial_params, loss_and_gradients, norm

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE = Path(__file__).resolve().parent.parent / "finetune" / "samples" / "ticket-routing.jsonl"
ROWS, WIDTH = 960, 64
NAMES = ("ln.weight", "ln.bias", "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias", "out")


def median_ms(work: Callable[[], object], repeats: int = 40) -> float:
    work()
    times: list[float] = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append((time.process_time() - begun) * 1000)
    return round(statistics.median(times), 2)


def block() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = [(WIDTH,), (WIDTH,), (WIDTH, 4 * WIDTH), (4 * WIDTH,), (4 * WIDTH, WIDTH), (WIDTH,), (WIDTH, 1024)]
    params = {name: rng.normal(0, 0.06, size).astype(np.float32) for name, size in zip(NAMES, sizes, strict=True)}
    return params, rng.normal(size=(ROWS, WIDTH)).astype(np.float32), rng.integers(0, 1024, ROWS)


def by_autograd(
    params: dict[str, np.ndarray], x: np.ndarray, targets: np.ndarray
) -> tuple[float, dict[str, np.ndarray]]:
    def loss(weights: dict[str, np.ndarray]) -> float:
        hidden = x + feed_forward(weights, "mlp", norm(weights, "ln", x))
        logits = anp.matmul(hidden, weights["out"])
        shifted = logits - np.max(getval(logits), axis=-1, keepdims=True)
        return anp.sum(anp.log(anp.sum(anp.exp(shifted), axis=-1)) - shifted[np.arange(ROWS), targets])

    return value_and_grad(loss)(params)


def by_hand(p: dict[str, np.ndarray], x: np.ndarray, targets: np.ndarray) -> tuple[float, dict[str, np.ndarray]]:
    rows = np.arange(ROWS)
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(1e-5))
    normal = centred / deviation
    normed = normal * p["ln.weight"] + p["ln.bias"]
    inner = normed @ p["mlp.c_fc.weight"] + p["mlp.c_fc.bias"]
    squared = inner * inner
    root = np.float32((2 / np.pi) ** 0.5)
    bent = np.tanh(root * inner * (1 + np.float32(0.044715) * squared))
    active = np.float32(0.5) * inner * (1 + bent)
    hidden = x + active @ p["mlp.c_proj.weight"] + p["mlp.c_proj.bias"]
    logits = hidden @ p["out"]
    logits -= logits.max(-1, keepdims=True)
    chosen = logits[rows, targets]
    flow = np.exp(logits)
    sums = flow.sum(-1, keepdims=True)
    loss = float((np.log(sums[:, 0]) - chosen).sum())
    flow /= sums
    flow[rows, targets] -= 1
    grads = {"out": hidden.T @ flow}
    flow = flow @ p["out"].T
    grads["mlp.c_proj.weight"], grads["mlp.c_proj.bias"] = active.T @ flow, flow.sum(0)
    flow = flow @ p["mlp.c_proj.weight"].T
    slope = root * (1 + np.float32(3 * 0.044715) * squared)
    flow *= np.float32(0.5) * (1 + bent) + np.float32(0.5) * inner * (1 - bent * bent) * slope
    grads["mlp.c_fc.weight"], grads["mlp.c_fc.bias"] = normed.T @ flow, flow.sum(0)
    flow = flow @ p["mlp.c_fc.weight"].T
    grads["ln.weight"], grads["ln.bias"] = (flow * normal).sum(0), flow.sum(0)
    return loss, grads


def whole_step() -> dict[str, float]:
    vocabulary = learn_vocabulary(SAMPLE)
    shape = Shape(vocabulary.size)
    params = initial_params(shape, 0)
    batch = pad(Corpus(SAMPLE, vocabulary, shape.context)[:16])
    gradients = loss_and_gradients(params, shape, batch)[2]
    optimizer = AdamW(params)
    return {
        "parameters": sum(value.size for value in params.values()),
        "batch_tokens": int(batch.ids.size),
        "forward_ms": median_ms(lambda: answer_loss(params, shape, batch)),
        "forward_backward_ms": median_ms(lambda: loss_and_gradients(params, shape, batch)),
        "adamw_ms": median_ms(lambda: optimizer.update(gradients, 1e-3)),
    }


def installed_kb(package: str) -> int | None:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    files = Path(next(iter(found.submodule_search_locations))).rglob("*.py")
    return sum(path.stat().st_size for path in files) // 1024


def main() -> None:
    params, x, targets = block()
    loss_one, grads_one = by_autograd(params, x, targets)
    loss_two, grads_two = by_hand(params, x, targets)
    furthest = max(float(np.abs(grads_one[name] - grads_two[name]).max()) for name in NAMES)
    auto, hand = (median_ms(lambda f=f: f(params, x, targets)) for f in (by_autograd, by_hand))
    report = {
        "block": {"autograd_ms": auto, "by_hand_ms": hand, "ratio": round(auto / hand, 2)},
        "agreement": {"loss_difference": float(abs(loss_one - loss_two)), "largest_gradient_difference": furthest},
        "whole_step_autograd": whole_step(),
        "autograd_source_kb": installed_kb("autograd"),
        "machine": {"system": platform.platform(), "processors": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: importlib.metadata.version(name) for name in ("numpy", "autograd", "tokenizers")},
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
