"""The control loop for real: the load rises and falls, the mode follows, endpoints and control file follow the mode."""

import re

import pytest

from control import FileWatch, Load, state
from engine import ROOT, fetch, poll
from exposition import Pipelines, read
from test_exact import assert_grown, marker

CORE = [
    "engine.listen=[127.0.0.1:{ENGINE_PORT}]",
    "otlp.listen=[127.0.0.1:{OTLP_PORT}]",
    "full_endpoint.listen=127.0.0.1:{FULL_PORT}",
    "optimized_endpoint.listen=127.0.0.1:{OPTIMIZED_PORT}",
    "experimental_endpoint.listen=127.0.0.1:{TOPK_PORT}",
    "observatory.listen=127.0.0.1:{OBSERVATORY_PORT}",
    # Seconds for minutes.
    "optimized.alive_within=2s",
    "cardinality.alive_within=2s",
    "cardinality.explosion_growth=1000000",
    "cardinality.high_risk_series=1000000",
    "kpis.every=200ms",
]
CONTROL = [
    "control.interval=200ms",
    # A count is told once a second: a decision waits until it is one of the mode that holds.
    "control.stability=2500ms",
    "control.calm=6s",
    "control.stale_after=20s",
    "control.target=400",
    "control.listen=127.0.0.1:{CONTROL_PORT}",
    "control.conservative_max=300",
    "control.aggressive_min=500",
    "kpi_endpoint.listen=127.0.0.1:{KPI_PORT}",
    "control_endpoint.listen=127.0.0.1:{KPI_PORT}",
]


def in_one_process(engines, path):
    engine = engines(ROOT / "graphs" / "phoenix.yaml", sets=CORE + CONTROL, env={"PHOENIX_CONTROL_FILE": str(path)})
    return engine, engine


def in_two(engines, path):
    env = {"PHOENIX_CONTROL_FILE": str(path)}
    core = engines(ROOT / "graphs" / "modules" / "core.yaml", sets=CORE + ["control.poll=100ms"], env=env)
    scrape = [f"core.targets=[127.0.0.1:{core.port('OBSERVATORY_PORT')}]", "core.scrape_interval=200ms"]
    sets = ["engine.listen=[127.0.0.1:{ENGINE_PORT}]", "core.scrape_timeout=200ms", "kpis.every=200ms"]
    control = engines(ROOT / "graphs" / "modules" / "control.yaml", sets=CONTROL + scrape + sets, env=env)
    return core, control


def shown_mode(endpoint) -> str:
    """The mode that an endpoint shows as the one that it follows."""
    for (name, labels) in read(endpoint.url):
        if name == "phoenix_control_info":
            return dict(labels)["mode"]
    return ""


@pytest.mark.parametrize("start", [in_one_process, in_two])
def test_the_mode_follows_the_load(engines, tmp_path, start):
    path = tmp_path / "optimization_mode.yaml"
    core, control = start(engines, path)
    pipelines, send_marker = Pipelines(core), marker(core)
    load, watch = Load(core), FileWatch(path)
    stages = [
        # whole, with owners, mode, and the series that the optimized pipeline has then
        (50, 100, "conservative", 150),
        (100, 400, "balanced", 101),
        (600, 400, "aggressive", 2),
        (100, 400, "balanced", 101),
        (50, 100, "conservative", 150),
    ]
    try:
        for whole, owners, mode, series in stages:
            load.resize(whole, owners)
            poll(f"the file says {mode}", lambda: path.exists() and watch.now["optimization_profile"] == mode, 60, 0.1)
            for endpoint in pipelines.all:
                poll(f"{endpoint.namespace} follows", lambda: shown_mode(endpoint) == mode, 20, 0.1)

            def admitted():
                samples = read(core.url("OBSERVATORY_PORT"))
                label = ("pipeline", "optimized")
                return [
                    value for (name, labels), value in samples.items()
                    if name.endswith("phoenix_pipeline_admitted_series") and label in labels
                ]

            # The marker is one series more.
            poll(f"{series} series are admitted", lambda: admitted() in ([series], [series + 1]), 20, 0.1)
            with load.lock:
                pipelines.settle(send_marker)
                assert_grown(pipelines, load.expected)
    finally:
        load.end()
        watch.end()
    profiles = [state["optimization_profile"] for state in watch.states]
    changes = [one for one, before in zip(profiles, [None] + profiles) if one != before]
    assert changes == [mode for _, _, mode, _ in stages]
    # Each decision has its version in the file, and its correlation id.
    lines = [line for line in control.log.splitlines() if "mode decided" in line]
    decided = [re.search(r"pv3ux-\d+-\d+", line)[0] for line in lines]
    written = [state["correlation_id"] for state in watch.states]
    # The first was written before anything was counted, and once more with the counts.
    assert written.count(decided[0]) <= 2 and written[written.count(decided[0]) - 1 :] == decided
    versions = [state["config_version"] for state in watch.states]
    assert versions == list(range(1, len(versions) + 1))
    # What it decided is on its metrics.
    text = fetch(f"{control.url('KPI_PORT')}/control")[2].decode()
    assert re.search(r'^phoenix_control_optimization_mode\{[^}]*mode="conservative"[^}]*\} 1$', text, re.M), text
    assert re.search(r"^phoenix_control_mode_transitions_total(\{[^}]*\})? 4$", text, re.M), text


def test_a_hand_edit_is_an_override(engines, tmp_path):
    path = tmp_path / "optimization_mode.yaml"
    core, control = in_one_process(engines, path)
    pipelines = Pipelines(core)
    poll("the file is written", lambda: path.exists())
    text = path.read_text()
    assert "optimization_profile: conservative" in text
    # As an editor does it: another file takes the name.
    edited = tmp_path / "edited"
    edited.write_text(text.replace("profile: conservative", "profile: aggressive").replace("experimental_enabled: true", "experimental_enabled: false"))
    before = state(path)["config_version"]
    edited.rename(path)
    poll("it is taken", lambda: state(path)["config_version"] == before + 1)
    assert state(path)["optimization_profile"] == "aggressive"
    assert "edited" in state(path)["trigger_reason"]
    assert state(path)["pipelines"]["experimental_enabled"] is False
    poll("endpoints follow", lambda: shown_mode(pipelines.optimized) == "aggressive")
    # A broken one changes nothing and is reported with its place.
    broken = tmp_path / "broken"
    broken.write_text("optimization_profile: conserv")
    broken.rename(path)
    poll("it is reported", lambda: f"{path}:1:23: error: expected one of conservative" in core.log)
    assert shown_mode(pipelines.optimized) == "aggressive"
