"""prometheus-client's own parsers take every exposition of the golden cases, and those that the Swift tests kept.

The Swift tests keep what they expose where `PHOENIX_EXPOSITIONS` names a directory: `*.text` and `*.openmetrics`.
"""

import os
import pathlib
import re

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from engine import ROOT

GOLDEN = sorted(ROOT.glob("graphs/golden/*/expect.txt"))
KEPT = pathlib.Path(os.environ["PHOENIX_EXPOSITIONS"]) if "PHOENIX_EXPOSITIONS" in os.environ else None


def sections(file):
    """The expositions of a golden case: what is indented below `== node: text` and `== node: OpenMetrics`."""
    name, lines = None, []
    for line in file.read_text().splitlines() + ["== end"]:
        if line.startswith("== "):
            if name and lines:
                yield name, lines
            name, lines = line.removeprefix("== "), []
        elif line.startswith("  ") and name:
            lines.append(line[2:])
        elif not line and lines and lines[-1] is not None:
            # Another scrape of the same endpoint.
            yield name, lines
            lines = []


def read(parse, text):
    """Every sample once, and as many of them as there are lines."""
    # prometheus-client refuses label names that begin with two underscores; the reference translator, and so Phoenix, keeps
    # such keys. With a letter before them the rest of the exposition is judged.
    text = re.sub(r'(?<=[{,])__(?=\w*=")', "x__", text)
    if parse is parse_text:
        # Of a counter it cuts `_total` off, though nothing else is in the name.
        text = re.sub(r"(?m)^(# (?:TYPE|HELP) )?_total(?=[ {])", r"\1only_total", text)
    seen = set()
    for family in parse(text):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in seen, f"{key} is exposed twice"
            seen.add(key)
    assert len(seen) == sum(1 for line in text.split("\n") if line and not line.startswith("#"))


def test_there_are_cases():
    exposing = [file for file in GOLDEN if any(True for _ in sections(file))]
    assert len(exposing) >= 20


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.parent.name)
def test_golden_expositions_are_taken(file):
    for name, lines in sections(file):
        text = "\n".join(lines) + "\n"
        if name.endswith(": OpenMetrics"):
            read(parse_openmetrics, text)
        elif name.endswith(": text"):
            read(parse_text, text)
            assert "# EOF" not in text


@pytest.mark.skipif(KEPT is None, reason="PHOENIX_EXPOSITIONS names no directory")
@pytest.mark.timeout(900)
def test_kept_expositions_are_taken():
    files = sorted(file for file in KEPT.iterdir() if file.suffix in (".text", ".openmetrics"))
    assert len(files) > 500
    for file in files:
        text = file.read_bytes().decode()
        try:
            read(parse_openmetrics if file.suffix == ".openmetrics" else parse_text, text)
        except (ValueError, AssertionError) as problem:
            raise AssertionError(f"{problem}\n{file}:\n{text[:4000]}") from problem
