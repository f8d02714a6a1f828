"""The house rules that no linter knows: where things stand, and what no file may hold."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/firstbell"
DOMAINS = sorted(path for path in (PACKAGE / "domains").iterdir() if (path / "__init__.py").exists())
ANATOMY = {"__init__", "model", "queries", "access", "actions", "pages", "api", "jobs"}

SQL = re.compile(r"^\s*(?:SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+.*\sAS\s*\()", re.S)
LINES_MAX = 900
KNOWS_SQL = ("kernel",)
"""The folders beside queries.py in which a statement may stand: the kernel's own tables and settings."""


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda path: path.name)
def test_a_domain_has_only_the_files_of_its_anatomy(domain: Path) -> None:
    """A domain that needs more is two domains; a part of it that grows is a folder of the same name."""
    assert {path.stem for path in domain.glob("*.py")} <= ANATOMY


def test_sql_stands_in_queries_alone() -> None:
    misplaced = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if "queries" not in (path.stem, path.parent.name) and path.relative_to(PACKAGE).parts[0] not in KNOWS_SQL
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
    assert not misplaced, f"put the statement in the queries.py of the domain that owns the table: {misplaced}"


def test_lock_files_name_no_place_to_download_from() -> None:
    found = [path.name for path in tracked("*.lock") if re.search(r"(?:https?|file):", path.read_text())]
    assert not found, f"an address in a lock file ties everybody to one registry: {found}"
    npm = (ROOT / "package-lock.json").read_text()
    assert '"resolved"' not in npm


def test_every_locked_python_package_has_a_hash() -> None:
    for path in tracked("requirements*.lock"):
        entries = re.split(r"\n(?=[a-z0-9])", path.read_text())
        unhashed = [entry.split()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry]
        assert not unhashed, f"{path.name}: {unhashed}"


def test_no_file_knows_somebodys_machine() -> None:
    homes = re.compile(rb"/(?:home|Users|root|tmp)/[a-z]")
    found = [
        f"{path.relative_to(ROOT)}"
        for path in tracked("*.py", "*.sql", "*.md", "*.toml", "*.ts", "*.css", "*.html", "*.po", "*.json", "bin/*")
        if path.name != Path(__file__).name and homes.search(path.read_bytes())
    ]
    assert not found


def test_files_stay_small_enough_to_read() -> None:
    """The everything file begins as one of a thousand lines; `queries.py` becomes a folder of that name in time."""
    long = [f"{path.relative_to(ROOT)}" for path in tracked("src/**.py") if path.read_text().count("\n") > LINES_MAX]
    assert not long
