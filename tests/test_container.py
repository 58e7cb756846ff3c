"""What the container promises, as far as its files can tell: `make container-check` follows their steps."""

from __future__ import annotations

import re

import container
import yaml

STEPS = container.instructions(container.FILE.read_text(encoding="utf-8"))
SERVICES = yaml.safe_load((container.ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


def steps(name: str) -> list[str]:
    return [what for one, what in STEPS if one == name]


def test_continued_lines_are_one_step():
    assert container.instructions("# a\nFROM x\nRUN a \\\n    && b\n") == [
        ("FROM", "x"),
        ("RUN", "a      && b"),
    ]


def test_it_begins_with_one_exact_version_and_ends_as_nobody_in_particular():
    (base,) = steps("FROM")
    assert re.fullmatch(r"docker\.io/library/python:3\.1[123]\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    names = [name for name, _ in STEPS]
    assert names.index("USER") > max(place for place, name in enumerate(names) if name == "RUN")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", steps("USER")[-1])
    assert steps("VOLUME") == ["/data"]
    assert "/health" in steps("HEALTHCHECK")[0]


def test_it_installs_what_the_lock_names_as_make_does():
    (install, check, _) = steps("RUN")
    tool = (container.ROOT / "book/tools/environment.py").read_text(encoding="utf-8")
    for option in ("--no-deps", "--require-hashes", "--only-binary"):
        assert option in install
        assert f'"{option}"' in tool
    assert check.startswith("python book/tools/environment.py")


def test_no_other_computer_reaches_what_compose_starts_and_nobody_without_a_token():
    assert SERVICES.keys() == {"api", "notebooks"}
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        assert service["environment"]["SERLAB_SERVE_TOKEN"].startswith("${SERLAB_SERVE_TOKEN:?")
        assert service["cap_drop"] == ["ALL"]
        assert "data:/data" in service["volumes"]
    exposed = steps("EXPOSE")[0].split()
    assert sorted(port.split(":")[-1] for one in SERVICES.values() for port in one["ports"]) == sorted(
        exposed
    )


def test_nothing_built_here_enters_the_image():
    ignored = (container.ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", ".venv", "_build", "dist"} <= set(ignored)
