"""kill -9 of core and of control at any moment: the control file is whole, versions grow, nobody jumps.

`PHOENIX_KILLS` says how often; a few times without it.
"""

import http.server
import os
import random
import re
import threading
import time

import pytest

from control import FileWatch
from engine import ROOT, Engine, fetch, poll
from exposition import Pipelines
from test_control import CORE, shown_mode

KILLS = int(os.environ.get("PHOENIX_KILLS", "6"))
HIGH, LOW = 1_000_000, 10


class FakeCore:
    """An observatory whose counts go up and down as fast as they are scraped, until they are held."""

    def __init__(self):
        self.is_held = False
        self.value = LOW
        self.served = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if not outer.is_held:
                    outer.value = HIGH if outer.value == LOW else LOW
                value = outer.value
                outer.served += 1
                lines = [
                    "# TYPE phoenix_pipeline_admitted_series gauge",
                    f'phoenix_pipeline_admitted_series{{pipeline="optimized"}} {value}',
                    "# TYPE phoenix_pipeline_would_admit_series gauge",
                ]
                lines += [
                    f'phoenix_pipeline_would_admit_series{{pipeline="optimized",mode="{mode}"}} {value}'
                    for mode in ("conservative", "balanced", "aggressive")
                ]
                body = ("\n".join(lines) + "\n").encode()
                self.send_response(200)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def hold(self, mode: str):
        """From now on what keeps a mode that holds."""
        self.value, self.is_held = (HIGH if mode == "aggressive" else LOW), True

    def end(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def pair(tmp_path):
    path = tmp_path / "optimization_mode.yaml"
    env = {"PHOENIX_CONTROL_FILE": str(path)}
    fake = FakeCore()
    number = iter(range(1_000_000))

    def directory():
        one = tmp_path / f"run-{next(number)}"
        one.mkdir()
        return one

    def core():
        return Engine(ROOT / "graphs" / "modules" / "core.yaml", directory(), sets=CORE + ["control.poll=50ms"], env=env)

    def control():
        sets = [
            "engine.listen=[127.0.0.1:{ENGINE_PORT}]", f"core.targets=[127.0.0.1:{fake.server.server_address[1]}]",
            "core.scrape_interval=50ms", "core.scrape_timeout=50ms", "kpis.every=100ms",
            "control.interval=20ms", "control.stability=0", "control.calm=0", "control.stale_after=60s",
            "control.listen=127.0.0.1:{CONTROL_PORT}", "kpi_endpoint.listen=127.0.0.1:{KPI_PORT}", "control_endpoint.listen=127.0.0.1:{KPI_PORT}",
        ]
        return Engine(ROOT / "graphs" / "modules" / "control.yaml", directory(), sets=sets, env=env)

    engines = {}
    try:
        engines |= {"core": core()}
        engines |= {"control": control()}
        yield path, fake, engines, {"core": core, "control": control}
    finally:
        for engine in engines.values():
            engine.kill()
        fake.end()


@pytest.mark.timeout(60 + 20 * KILLS)
def test_kill_at_any_moment(pair):
    path, fake, engines, start = pair
    seed = random.randrange(1 << 32)
    print(f"seed {seed}, {KILLS} kills")
    dice = random.Random(seed)
    poll("the file is there", path.exists)
    watch = FileWatch(path)
    try:
        for number in range(KILLS):
            victim = "core" if number % 4 == 3 else "control"
            fake.is_held = False
            before = len(watch.states)
            poll("the mode goes on changing", lambda: len(watch.states) > before + 1, 20, 0.005)
            time.sleep(dice.random() * 0.3)
            engines[victim].kill()
            if victim == "control":
                left = watch.now
                fake.hold(left["optimization_profile"])
                # Core keeps what was written last.
                endpoint = Pipelines(engines["core"]).optimized
                poll("core holds the last mode", lambda: shown_mode(endpoint) == left["optimization_profile"], 20, 0.05)
                engines[victim] = start[victim]()
                served = fake.served
                poll("control looks again", lambda: fake.served > served + 8, 20, 0.02)
                version = f"phoenix_control_config_version {left['config_version']}"
                poll("control goes on from it", lambda: version in plain(engines[victim]), 20, 0.05)
                assert watch.now == left, f"kill {number}: control jumped from {left} to {watch.now}"
            else:
                engines[victim] = start[victim]()
                fake.hold(watch.now["optimization_profile"])
                poll("it is calm", lambda: calm(watch), 20, 0.05)
                endpoint = Pipelines(engines["core"]).optimized
                poll("core reads it", lambda: shown_mode(endpoint) == watch.now["optimization_profile"], 20, 0.05)
    finally:
        watch.end()
    assert watch.reads > KILLS
    print(f"{KILLS} kills, {len(watch.states)} versions seen whole, {watch.reads} reads")


def plain(engine) -> str:
    """The controller's metrics, without labels."""
    return re.sub(r"\{[^}]*\}", "", fetch(f"{engine.url('KPI_PORT')}/control")[2].decode())


def calm(watch) -> bool:
    before = watch.now
    time.sleep(0.4)
    return watch.now == before
