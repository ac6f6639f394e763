"""A byte-level BPE vocabulary, learnt from the examples by Hugging Face's tokenizers."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from trainer.batches import Tokens
from trainer.template import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from trainer.template import Piece

SIZE = 1024
LEARN_FROM_CHARACTERS = 8_000_000  # enough to find a thousand tokens; reading on would change little and cost minutes


@lru_cache(maxsize=1)
def byte_alphabet() -> dict[str, int]:
    """GPT-2's printable stand-in for each byte, as {character: byte}."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in set(plain)]
    shifted = {chr(256 + index): byte for index, byte in enumerate(others)}
    return {chr(byte): byte for byte in plain} | shifted


def within_budget(texts: Iterable[str]) -> Iterable[str]:
    seen = 0
    for text in texts:
        if (seen := seen + len(text)) > LEARN_FROM_CHARACTERS:
            return
        yield text


class Vocabulary:
    """Text to token ids and back. Special tokens are met only where a Piece names one, never inside text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True  # "<|im_end|>" typed by a user is eight ordinary tokens

    @classmethod
    def learn(cls, texts: Iterable[str], size: int = SIZE) -> Vocabulary:
        """Learn merges from texts; with none, every byte is a token of its own."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=2,
            show_progress=False,
            special_tokens=[AddedToken(name, special=True, normalized=False) for name in SPECIAL],
            initial_alphabet=sorted(byte_alphabet()),
        )
        tokenizer.train_from_iterator(within_budget(texts), trainer)
        return cls(tokenizer)

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        return cls(Tokenizer.from_file(str(path)))

    def save(self, path: Path) -> None:
        self._tokenizer.save(str(path))

    @property
    def size(self) -> int:
        return self._tokenizer.get_vocab_size()

    def special_id(self, name: str) -> int:
        return SPECIAL.index(name)  # special tokens come first, in this order

    def encode(self, pieces: Sequence[Piece]) -> Tokens:
        """Encode pieces (each by itself) to ids and the mask of those to train on."""
        ids: list[int] = []
        trained: list[bool] = []
        for piece in pieces:
            found = [self.special_id(piece.text)] if piece.special else self.encode_text(piece.text)
            ids += found
            trained += [piece.trained] * len(found)
        return Tokens(np.array(ids, np.int32), np.array(trained, np.bool_))

    def encode_text(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    @cached_property
    def token_bytes(self) -> list[bytes]:
        """Each token's bytes by its id; a special token has the bytes of its name."""
        alphabet = byte_alphabet()
        names = [self._tokenizer.id_to_token(index) or "" for index in range(self.size)]
        return [
            name.encode() if name in SPECIAL else bytes(alphabet[character] for character in name) for name in names
        ]
