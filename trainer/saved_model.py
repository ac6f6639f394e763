"""A model on disk: a directory in Hugging Face's GPT-2 form that transformers can load."""

# pyright: reportUnknownVariableType=false
# safetensors leaves the type of paths open

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safetensors.numpy import load_file, save_file

from trainer.disk import read_json, write_json
from trainer.gpt import Shape
from trainer.template import CHAT_TEMPLATE, END, END_OF_TEXT, START
from trainer.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.gpt import Params

CAUTION = (
    "This toy model memorises a format and knows nothing: it was trained from scratch, in seconds, "
    "on the examples it was given and on nothing else."
)


@dataclass(frozen=True, slots=True)
class SavedModel:
    """Weights with their shape, their vocabulary, and the endpoints they answer on: "chat", "prompt" or "any"."""

    params: Params
    shape: Shape
    vocabulary: Vocabulary
    kind: str


def save_model(home: Path, model: SavedModel, name: str) -> None:
    """Write the directory `home`, all of it or nothing. Does nothing if it is already there."""
    if home.exists():
        return
    beside = home.with_name(f".{home.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    save_file(model.params, beside / "model.safetensors", metadata={"format": "pt"})
    model.vocabulary.save(beside / "tokenizer.json")
    ending = model.vocabulary.special_id(END if model.kind == "chat" else END_OF_TEXT)
    write_json(beside / "config.json", model_config(model.shape, model.kind, ending))
    write_json(
        beside / "generation_config.json",
        {"_from_model_config": True, "bos_token_id": 0, "eos_token_id": ending, "pad_token_id": 0},
    )
    write_json(beside / "tokenizer_config.json", tokenizer_config(model.shape, model.kind))
    write_json(beside / "special_tokens_map.json", special_tokens(model.kind))
    (beside / "README.md").write_text(f"# {name}\n\n{CAUTION}\n\nTrained by Tuneroom's local trainer.\n")
    beside.rename(home)


def load_model(home: Path) -> SavedModel:
    """Read a directory that `save_model` wrote."""
    config = read_json(home / "config.json")
    shape = Shape(config["vocab_size"], config["n_positions"], config["n_embd"], config["n_layer"], config["n_head"])
    params = load_file(home / "model.safetensors")
    return SavedModel(params, shape, Vocabulary.load(home / "tokenizer.json"), config["tuneroom_kind"])


def base_kind(home: Path) -> str:
    """Which endpoints a saved model answers on, without loading it."""
    return read_json(home / "config.json")["tuneroom_kind"]


def model_config(shape: Shape, kind: str, ending: int) -> dict[str, Any]:
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "layer_norm_epsilon": 1e-05,
        "vocab_size": shape.vocabulary,
        "n_positions": shape.context,
        "n_embd": shape.width,
        "n_layer": shape.layers,
        "n_head": shape.heads,
        "bos_token_id": 0,
        "eos_token_id": ending,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "tuneroom_kind": kind,
        "tuneroom_caution": CAUTION,
    }


def special_tokens(kind: str) -> dict[str, Any]:
    ending = END if kind == "chat" else END_OF_TEXT
    return {"bos_token": END_OF_TEXT, "eos_token": ending, "pad_token": END_OF_TEXT, "unk_token": END_OF_TEXT}


def tokenizer_config(shape: Shape, kind: str) -> dict[str, Any]:
    template = {"chat_template": CHAT_TEMPLATE} if kind == "chat" else {}
    return {
        **special_tokens(kind),
        **template,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "additional_special_tokens": [START, END],
        "clean_up_tokenization_spaces": False,
        "model_max_length": shape.context,
    }
