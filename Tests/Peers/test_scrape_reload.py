"""A reload takes targets away: their series end, long before they would expire, and those of others stand throughout."""

import os
import subprocess

import pytest

from engine import HERE, binary, poll
from test_scrape import Target, exposed


@pytest.fixture
def page():
    target = Target()
    target.broken = b"# TYPE answered_total counter\nanswered_total 7\n"
    yield target
    target.server.shutdown()


def test_a_reload_ends_what_is_gone(page, engines, tmp_path):
    graph = tmp_path / "graph.yaml"
    graph.write_text((HERE / "graphs" / "scrape_reload.yaml").read_text())
    engine = engines(graph, env={"TARGET_PORT": str(page.port)})

    def seen(name="up"):
        return {dict(labels).get("env") for one, labels in exposed(engine) if one == name}

    poll("all are scraped", lambda: seen() == seen("answered_total") == {"stays", "goes", "old"})
    lines = graph.read_text().splitlines(keepends=True)
    graph.write_text("".join(line.replace("env: old", "env: new") for line in lines if "env: goes" not in line))
    environment = os.environ | {name: str(port) for name, port in engine.ports.items()} | {"TARGET_PORT": str(page.port)}
    address = f"127.0.0.1:{engine.port('ADMIN_PORT')}"
    done = subprocess.run(
        [str(binary()), "reload", "--address", address], capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == 0, done.stderr
    gaps = []

    def is_settled():
        up, answered = seen(), seen("answered_total")
        gaps.extend(name for name, found in (("up", up), ("answered_total", answered)) if "stays" not in found)
        return up == answered == {"stays", "new"}

    poll("what is gone has ended", is_settled)
    assert gaps == []
