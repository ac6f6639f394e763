"""Which installed font draws a text: matplotlib's own has no Hangul, kana or Han."""

# pyright: reportUnknownVariableType=false
from __future__ import annotations

import functools
from typing import Final

# most complete first; whichever the machine has (Debian's fonts-noto-cjk and fonts-nanum, macOS, Windows)
CANDIDATES: Final = (
    "Noto Sans CJK KR", "Noto Sans CJK JP", "Noto Sans KR", "Noto Sans JP", "Source Han Sans", "Apple SD Gothic Neo",
    "AppleGothic", "Hiragino Sans", "Arial Unicode MS", "NanumGothic", "IPAexGothic", "Malgun Gothic", "Yu Gothic",
)  # fmt: skip


@functools.cache
def font_for(text: str) -> str:
    """Return the name of an installed font that has every character of `text`, "" where there is none."""
    from matplotlib.font_manager import fontManager, get_font  # noqa: PLC0415 - 0.5 s that only a picture needs

    installed = {entry.name: entry.fname for entry in fontManager.ttflist}
    for name in CANDIDATES:
        if name in installed and all(get_font(installed[name]).get_char_index(ord(one)) for one in text):
            return name
    return ""
