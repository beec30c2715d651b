"""The README and the pages in docs/: links that work, and a picture of the code that is the code's."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from renders.api import auth, errors
from renders.api.renders.output import RenderDetailSerializer
from renders.api.templates.input import CreateTemplateSerializer
from renders.api.templates.output import TemplateDetailSerializer
from renders.models import Render, Template

ROOT = Path(settings.BASE_DIR)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def without_code_blocks(text: str) -> str:
    return re.sub(r"^( *)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = HEADING.findall(without_code_blocks(page.read_text()))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    broken = []
    for link in LINK.findall(without_code_blocks(page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def modules_in_the_picture() -> list[str]:
    """Return the Python modules that the tree in docs/design.md names."""
    (tree,) = re.findall(r"^```\n(renderhub/.*?)^```$", (ROOT / "docs" / "design.md").read_text(), re.M | re.S)
    folders: list[tuple[int, str]] = []
    modules = []
    for line in tree.splitlines():
        name = line.split()[0]
        depth = len(line) - len(line.lstrip())
        folders = [folder for folder in folders if folder[0] < depth]
        path = "".join(folder for _, folder in folders) + name
        if name.endswith("/"):
            folders.append((depth, name))
        elif name.endswith(".py"):
            modules.append(path)
    return sorted(modules)


def modules_that_exist() -> list[str]:
    paths = (path.relative_to(ROOT) for folder in ("renderhub", "renders") for path in (ROOT / folder).rglob("*.py"))
    return sorted(str(path) for path in paths if path.name != "__init__.py" and "migrations" not in path.parts)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_the_readme_links_every_page(page: Path) -> None:
    assert f"(docs/{page.name})" in PAGES[0].read_text()


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# The `one` heading\n```sh\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#the-one-heading) [b](other.md#no-heading) [c](none.md) [d](https://example.com) [e](#f)"
    )
    assert broken_links(page) == ["other.md#no-heading", "none.md", "#f"]


def test_the_readme_is_short() -> None:
    assert len(PAGES[0].read_text().splitlines()) <= 150


def test_the_picture_of_the_code_names_exactly_its_modules() -> None:
    named, existing = modules_in_the_picture(), modules_that_exist()
    assert sorted(set(existing) - set(named)) == [], "the picture lacks them"
    assert sorted(set(named) - set(existing)) == [], "they do not exist"
    assert len(named) == len(existing)


def test_the_api_page_has_every_field_and_status() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    names = [*RenderDetailSerializer.Meta.fields, *Render.Status.values, *Render.FailureReason.values]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_api_page_has_every_field_of_a_template() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    section = page[page.index("\n## Templates") : page.index("\n## Who may do what")]
    names = {*TemplateDetailSerializer.Meta.fields, *CreateTemplateSerializer().fields, *Template.Length.values}
    assert [name for name in sorted(names) if f"`{name}`" not in section] == []


def test_the_api_page_has_every_code_and_permission() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    codes = {answer.code for answer in errors.ANSWERS.values()}
    codes |= {*errors.ENDED_CODES, *errors.FIELD_CODES, errors.SERVER_ERROR_CODE}
    codes |= {"host_not_allowed", "not_migrated", "database_unavailable"}  # renders/operations/setup_errors.py
    names = codes | {auth.VIEW, auth.CHANGE, auth.DELETE, auth.PRIORITY}
    names |= {auth.VIEW_TEMPLATE, auth.ADD_TEMPLATE, auth.CHANGE_TEMPLATE}
    assert sorted(name for name in names if f"`{name}`" not in page) == []


def test_every_pinned_package_has_its_reason() -> None:
    reasons = (ROOT / "docs" / "dependencies.md").read_text()
    pinned = "".join((ROOT / name).read_text() for name in ("requirements.txt", ".ci/requirements.txt"))
    packages = re.findall(r"^([\w-]+)(?:\[[\w,]+\])?==", pinned, re.MULTILINE)
    rows = " ".join(line.split("|")[1] for line in reasons.splitlines() if line.startswith("| "))
    assert packages
    assert [package for package in packages if package not in re.split(r"[\s,]+", rows)] == []


MAY_IMPORT = {
    "models": {"models"},
    "remotion": {"remotion"},
    "sandbox": {"sandbox", "remotion"},
    "services": {"services", "models", "remotion", "signals"},
    "operations": {"operations", "services", "models", "remotion"},
    "api": {"api", "services", "models", "remotion"},
    "admin": {"admin", "services", "models", "remotion"},
}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_point_one_way(folder: str) -> None:
    sources = "".join(path.read_text() for path in (ROOT / "renders" / folder).rglob("*.py"))
    imported = re.findall(r"^\s*(?:from|import) renders\.(\w+)", sources, re.MULTILINE)
    imported += re.findall(r"^\s*from renders import (\w+)", sources, re.MULTILINE)
    assert imported
    assert set(imported) <= MAY_IMPORT[folder]
