"""The graph that is shipped, in each mode: totals stay right on the ports that its users know."""

import random
from collections import defaultdict

import pytest

from engine import ROOT, poll
from exposition import OPENMETRICS, Pipelines, read
from test_exact import Counter, assert_grown, marker, send_all

LISTENS = [
    "engine.listen=[127.0.0.1:{ENGINE_PORT}]",
    "control.listen=127.0.0.1:{CONTROL_PORT}",
    "otlp.listen=[127.0.0.1:{OTLP_PORT}]",
    "full_endpoint.listen=127.0.0.1:{FULL_PORT}",
    "optimized_endpoint.listen=127.0.0.1:{OPTIMIZED_PORT}",
    "experimental_endpoint.listen=127.0.0.1:{TOPK_PORT}",
    "observatory.listen=127.0.0.1:{OBSERVATORY_PORT}",
    "kpi_endpoint.listen=127.0.0.1:{KPI_PORT}",
    "control_endpoint.listen=127.0.0.1:{KPI_PORT}",
]
NAMES = ["java_app", "nginx", "critical_db", "cron", "kworker/0:1", "kworker/1:2", "rcu_sched", "postgres"]


@pytest.mark.parametrize("mode", ["conservative", "balanced", "aggressive"])
def test_totals_are_exact(engines, tmp_path, mode):
    # The controller looks for the first time when the test is long over: the mode holds.
    env = {"PHOENIX_MODE": mode, "BENCHMARK_ID": "peers", "PHOENIX_CONTROL_FILE": str(tmp_path / "mode.yaml")}
    engine = engines(ROOT / "graphs" / "phoenix.yaml", sets=LISTENS, env=env)
    pipelines = Pipelines(engine)

    def shown(endpoint):
        samples = read(endpoint.url, OPENMETRICS)
        return [dict(labels)["mode"] for name, labels in samples if name == "phoenix_control_info"]

    # The controller first looks for what the control file says.
    for endpoint in pipelines.all:
        poll("the mode is shown", lambda: shown(endpoint) == [mode])
    send_marker = marker(engine)
    dice = random.Random(mode)
    expected: defaultdict[str, float] = defaultdict(float)
    pids = iter(range(1, 10_000))
    counters = [Counter(dice.choice("ab"), next(pids), dice.choice(NAMES)) for _ in range(80)]
    for _ in range(4):
        for counter in counters:
            counter.work(dice, expected)
        send_all(engine, counters, 4)
        pipelines.settle(send_marker)
        assert_grown(pipelines, expected)
        counters = counters[5:] + [Counter(dice.choice("ab"), next(pids), dice.choice(NAMES)) for _ in range(6)]
    sizes = [len([1 for name, _ in endpoint.now() if name == "hand_calls_total"]) for endpoint in pipelines.all]
    assert sizes[1] < sizes[0], "the optimized pipeline reduces nothing"
    for endpoint in pipelines.all:
        samples = read(endpoint.url, OPENMETRICS)
        assert shown(endpoint) == [mode]
        strategies = {dict(labels).get("phoenix_pipeline_strategy") for name, labels in samples if name.endswith("hand_calls_total")}
        assert len(strategies) == 1 and strategies != {None}
