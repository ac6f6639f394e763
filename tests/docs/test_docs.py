"""The documentation says what the code does: settings, paths, links, points, scripts, scopes and events."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from bot import manifest
from jobstore.faults import POINTS
from tuneroom.settings import Settings, variable

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
TOP = sorted(entry.name for entry in ROOT.iterdir() if entry.is_dir() and entry.name not in {".venv", ".uv", ".git"})
MADE_BY_USE = (".tuneroom/",)

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PLACE = re.compile(rf"((?:{'|'.join(map(re.escape, TOP))})/[\w./-]*|[\w-]+\.(?:toml|lock|md))(?::([A-Za-z_][\w.]*))?")


def pages() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def without_blocks(text: str) -> str:
    """Markdown without its fenced blocks, which show what programs print."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names a page's headings are linked by."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(page.read_text(encoding="utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def defined(path: Path) -> set[str]:
    """The names that a module defines: functions, classes, constants, and `Class.method`."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{inner.name}" for inner in node.body if hasattr(inner, "name")}
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


@pages()
def test_relative_links_resolve(page: Path) -> None:
    for target in LINK.findall(without_blocks(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(linked), f"{page.name} links to {target}"


@pages()
def test_named_places_exist(page: Path) -> None:
    for said in CODE.findall(without_blocks(page.read_text(encoding="utf-8"))):
        place = PLACE.fullmatch(said)
        if place is None or said.startswith(MADE_BY_USE):
            continue
        path, name = ROOT / place[1], place[2]
        assert path.exists() or (page.parent / place[1]).exists(), f"{page.name} names {said}"
        if name:
            assert name in defined(path), f"{page.name} names {said}"


def test_settings_stand_in_their_page_with_name_and_default() -> None:
    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)` )?\|", text, flags=re.MULTILINE)
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    written = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in defaults.items()}
    assert dict(rows) == {variable(name): value for name, value in written.items()}
    assert len(rows) == len(defaults)


def test_what_a_crash_does_is_told_for_every_fault_point() -> None:
    table = ARCHITECTURE.partition("## A crash at each named point")[2]
    assert set(re.findall(r"^\| `([a-z.]+)` \|", table, flags=re.MULTILINE)) == POINTS


def test_every_script_is_told_of() -> None:
    scripts = {path.name for path in (ROOT / "jobstore/lua").glob("*.lua")}
    assert set(re.findall(r"\b(\w+\.lua)\b", ARCHITECTURE)) == scripts


def test_rooms_are_those_of_the_project() -> None:
    table = ARCHITECTURE.partition("## Rooms")[2].partition("### ")[0]
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)/` \|", table, flags=re.MULTILINE)) == rooms


def test_readme_names_the_scopes_and_events_of_the_manifest() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| scope | used for |")[2].partition("\n\n")[0]
    first_cells = "\n".join(line.split("|")[1] for line in table.splitlines() if line.count("|") > 2)
    assert set(CODE.findall(first_cells)) == set(manifest.scope_names())
    events = next(line for line in readme.splitlines() if line.startswith("Events: "))
    named = {name for name in CODE.findall(events) if name != "file_shared"}
    assert named == set(manifest.events())


def test_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    cli = (ROOT / "tuneroom/cli.py").read_text(encoding="utf-8")
    commands = set(re.findall(r"\./run tuneroom (\w+)", readme))
    assert commands >= {"sandbox", "check", "bot", "worker", "follower"}
    assert commands <= set(re.findall(r'add_parser\("(\w+)"', cli))
    described = "".join(module.read_text(encoding="utf-8") for module in (ROOT / "tuneroom").glob("*.py"))
    for option in set(re.findall(r"`(--[a-z]+)", readme)):
        assert f'"{option}"' in described, option
