"""Numbers and addresses that name a person: cards, e-mails, telephones, national ids of Korea and Japan."""

from __future__ import annotations

import re
from datetime import date

_CARD = re.compile(
    r"(?<![0-9A-Za-z.-])(?:"
    r"(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6(?:011|4[4-9][0-9]|5[0-9]{2})|35[2-8][0-9]|62[0-9]{2}|9[0-9]{3})"
    r"(?P<gap>[ -]?)[0-9]{4}(?P=gap)[0-9]{4}(?P=gap)[0-9]{4}"
    r"|3[47][0-9]{2}(?P<amex>[ -]?)[0-9]{6}(?P=amex)[0-9]{5}"
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}"
    r")(?![0-9A-Za-z]|[.-][0-9])"
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])(?P<local>[A-Za-z0-9][A-Za-z0-9._%+-]{0,63})@(?P<domain>(?:[A-Za-z0-9-]{1,63}\.){1,8}(?P<top>[A-Za-z]{2,24}))"
    r"(?![A-Za-z0-9]|-[A-Za-z0-9])"
)
_PHONE = re.compile(
    r"(?<![0-9A-Za-z.,-])(?:"
    r"\+[1-9][0-9]{0,2}(?:[ .-]?\(?[0-9]{1,5}\)?){2,5}(?<=[0-9])"  # with its country
    r"|01[016789](?:[ .-][0-9]{3,4}[ .-][0-9]{4}|[0-9]{7,8})"  # Korea, mobile
    r"|0(?:2|[3-6][1-5]|70)[ -)][0-9]{3,4}-[0-9]{4}"  # Korea, land line
    r"|0[5789]0(?:[ .-][0-9]{4}[ .-][0-9]{4}|[0-9]{8})"  # Japan, mobile
    r"|0[1-9][0-9]{0,3}-[0-9]{1,4}-[0-9]{4}"  # Japan, land line
    r"|\([2-9][0-9]{2}\) ?[0-9]{3}[.-][0-9]{4}|[2-9][0-9]{2}[.-][0-9]{3}[.-][0-9]{4}"  # North America
    r")(?![0-9A-Za-z]|[-.][0-9])"
)
_KOREAN_ID = re.compile(r"(?<![0-9-])([0-9]{2})([0-9]{2})([0-9]{2})-?([1-8])([0-9]{6})(?![0-9-])")
_MY_NUMBER = re.compile(
    r"(?<![0-9-])(?<![0-9] )([0-9]{4})(?P<gap>[ -]?)([0-9]{4})(?P=gap)([0-9]{4})(?![0-9]|[ -][0-9])"
)
_MY_NUMBER_WORDS = ("マイナンバー", "個人番号", "My Number")

_NO_DOMAINS = re.compile(r"(?:^|\.)(?:test|invalid|localhost|local)$", re.IGNORECASE)
"""Domains that no mail can reach. Those of examples are not among them: rows copied from a form hold them too."""
_NOT_PEOPLE = frozenset({"git", "noreply", "no-reply"})
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "py", "ts", "md", "json"})
_DIGITS_OF_A_PHONE = range(9, 16)
_CHECKED_UNTIL = (2020, 10)
"""Korean resident numbers given from October 2020 on have no check digit."""


def identity_in(text: str) -> str | None:
    """Return what personal data `text` seems to hold, such as "an e-mail address"; None where none. Never the value."""
    if any(map(_is_korean_id, _KOREAN_ID.finditer(text))):
        return "a Korean resident number"
    if any(_is_card(match.group()) for match in _CARD.finditer(text)):
        return "a card number"
    if any(_is_my_number(match, text) for match in _MY_NUMBER.finditer(text)):
        return "a Japanese individual number"
    if any(map(_is_email, _EMAIL.finditer(text))):
        return "an e-mail address"
    if any(_is_phone(match.group()) for match in _PHONE.finditer(text)):
        return "a telephone number"
    return None


def _digits(value: str) -> list[int]:
    return [int(character) for character in value if character.isdecimal()]


def _is_card(value: str) -> bool:
    digits = _digits(value)
    doubled = [digit if index % 2 == 0 else sum(divmod(2 * digit, 10)) for index, digit in enumerate(digits[::-1])]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _is_email(match: re.Match[str]) -> bool:
    if match["local"].lower() in _NOT_PEOPLE or match["top"].lower() in _FILES:
        return False
    return _NO_DOMAINS.search(match["domain"]) is None


def _is_phone(value: str) -> bool:
    digits = _digits(value)
    return len(digits) in _DIGITS_OF_A_PHONE and len(set(digits)) > 2


def _is_korean_id(match: re.Match[str]) -> bool:
    digits = _digits(match.group())
    century = 2000 if match[4] in "3478" else 1900
    year, month = century + int(match[1]), int(match[2])
    try:
        date(year, month, int(match[3]))
    except ValueError:
        return False
    if "-" in match.group():  # nothing else is written so; a digit that was typed wrongly is no reason to keep quiet
        return True
    if (year, month) >= _CHECKED_UNTIL:
        return False
    weighed = sum(digit * weight for digit, weight in zip(digits, [*range(2, 10), *range(2, 6)], strict=False)) % 11
    foreigner = match[4] in "5678"
    return digits[12] == ((13 if foreigner else 11) - weighed) % 10


def _is_my_number(match: re.Match[str], text: str) -> bool:
    digits = _digits(match.group())
    if any(word in text for word in _MY_NUMBER_WORDS):
        return len(set(digits)) > 1
    if not match["gap"]:
        return False  # twelve digits in a row are many things
    weights = [*range(2, 8), *range(2, 7)]
    rest = sum(digit * weight for digit, weight in zip(digits[10::-1], weights, strict=True)) % 11
    return len(set(digits)) > 1 and digits[11] == (0 if rest <= 1 else 11 - rest)
