"""The control API of the real program: every path as its contract says, bad requests too, over HTTP/1.1 and HTTP/2."""

import json
import subprocess
import sys
import pathlib

import jsonschema
import pytest

from control_api import CONTRACTS, DOCUMENT, OPENAPI, ask, operations
from engine import binary, poll

TOKEN = "s3cret-of-the-tests"


@pytest.fixture(scope="module")
def engine(engines):
    engine = engines("control_api")
    poll("a decision", lambda: ask(engine, "GET", "/api/v1/history").json["decisions"])
    return engine


@pytest.fixture(scope="module")
def guarded(engines):
    return engines("control_api", env={"CONTROL_TOKEN": TOKEN})


@pytest.fixture(autouse=True)
def cleared(request):
    """No test leaves an override behind."""
    yield
    if "engine" in request.fixturenames:
        ask(request.getfixturevalue("engine"), "DELETE", "/api/v1/control")


def example(method: str, path: str):
    operation = DOCUMENT["paths"][path][method.lower()]
    if "requestBody" not in operation:
        return None
    return operation["requestBody"]["content"]["application/json"]["example"]


@pytest.mark.parametrize("method,path", operations())
def test_every_operation_answers_its_example_as_documented(engine, method, path):
    answer = ask(engine, method, path, example(method, path))
    assert answer.status == 200, answer


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_methods_that_are_not_documented_are_405(engine, path):
    documented = {method for method, served in operations() if served == path}
    documented |= {"HEAD"} if "GET" in documented else set()
    for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} - documented:
        answer = ask(engine, method, path)
        assert answer.status == 405, (method, answer)
        assert set(answer.headers["allow"].split(", ")) == documented
        assert method == "HEAD" or "use" in answer.json["error"]


def test_the_document_is_the_contract(engine):
    assert ask(engine, "GET", "/openapi.yaml").body == OPENAPI.read_bytes()


def test_an_override_holds_and_ends(engine):
    before = ask(engine, "GET", "/api/v1/status").json
    held = ask(engine, "POST", "/api/v1/control", {"mode": "aggressive", "duration_seconds": 600, "reason": "peers"})
    assert held.json["success"] and held.json["current_mode"] == "aggressive"
    assert held.json["previous_mode"] == before["current_mode"]
    status = ask(engine, "GET", "/api/v1/status").json
    assert status["current_mode"] == "aggressive" and status["config_version"] > before["config_version"]
    assert 590 < status["override"]["remaining_seconds"] <= 600
    assert "peers" in status["reason"]
    newest = ask(engine, "GET", "/api/v1/history?limit=1").json["decisions"]
    assert len(newest) == 1 and newest[0]["correlation_id"] == status["correlation_id"]
    assert ask(engine, "GET", "/mode").json["mode"] == "aggressive"
    assert ask(engine, "GET", "/api/v1/control").json["override"]["mode"] == "aggressive"
    assert ask(engine, "DELETE", "/api/v1/control").json["previous_mode"] == "aggressive"
    assert "override" not in ask(engine, "GET", "/api/v1/control").json


def test_an_override_expires_by_itself(engine):
    ask(engine, "POST", "/api/v1/control", {"mode": "aggressive", "duration_seconds": 1})
    poll("its end", lambda: "override" not in ask(engine, "GET", "/api/v1/control").json)


def test_the_mode_that_is_held_reaches_the_processor(engine):
    ask(engine, "POST", "/mode", {"mode": "aggressive", "reason": "peers"})
    metrics = ask(engine, "GET", "/metrics").body.decode()
    assert 'phoenix_control_optimization_mode{mode="aggressive"} 1' in metrics
    figures = ask(engine, "GET", "/metrics", headers={"Accept": "application/json"}).json
    assert figures["current_mode"] == "aggressive"


def test_a_grave_anomaly_forces_aggressive(engine):
    report = {"anomaly_id": "a-1", "severity": "critical", "metric_name": "cardinality", "current_value": 1e6}
    assert ask(engine, "POST", "/anomaly", report).json == {"status": "acknowledged", "anomaly_id": "a-1"}
    status = ask(engine, "GET", "/api/v1/status").json
    assert (status["current_mode"], status["forced"]) == ("aggressive", "EMERGENCY")
    assert status["reason"].startswith("EMERGENCY")


def test_signals_are_what_the_schema_says(engine):
    schema = json.loads((CONTRACTS / "schemas" / "control_signal.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for mode in ("aggressive", "conservative", "balanced"):
        ask(engine, "POST", "/api/v1/control", {"mode": mode, "duration_seconds": 60})
    signals = ask(engine, "GET", "/api/v1/status").json["recent_signals"]
    assert [signal["mode"] for signal in signals[:3]] == ["balanced", "conservative", "aggressive"]
    for signal in signals:
        validator.validate(signal)
    # The schema can tell: without each member that it requires, a signal is none.
    for member in schema["required"]:
        broken = {name: value for name, value in signals[0].items() if name != member}
        assert not validator.is_valid(broken)


def test_the_schema_of_benchmark_results_is_one():
    jsonschema.Draft202012Validator.check_schema(
        json.loads((CONTRACTS / "schemas" / "benchmark_result.json").read_text())
    )


@pytest.mark.parametrize(
    "method,path,body,headers,status,words",
    [
        ("POST", "/api/v1/control", b"", {}, 400, "the body is empty"),
        ("POST", "/api/v1/control", b"{", {}, 400, "not JSON"),
        ("POST", "/api/v1/control", b"\xff\xfe\x00", {}, 400, "not JSON"),
        ("POST", "/api/v1/control", b"[" * 60_000, {}, 400, "not JSON"),
        ("POST", "/api/v1/control", {}, {}, 400, "`mode` is missing"),
        ("POST", "/api/v1/control", {"mode": "agressive"}, {}, 400, "did you mean `aggressive`?"),
        ("POST", "/api/v1/control", {"mode": "balanced", "for": 1}, {}, 400, "there is no `for` here"),
        ("POST", "/api/v1/control", {"mode": "balanced", "duration_seconds": -1}, {}, 400, "`duration_seconds`"),
        ("POST", "/api/v1/control", {"mode": "balanced", "duration_seconds": 1e30}, {}, 400, "`duration_seconds`"),
        ("POST", "/api/v1/control", {"mode": "balanced", "reason": "x" * 513}, {}, 400, "`reason` is longer"),
        ("POST", "/api/v1/control", {"mode": "balanced", "reason": "x" * 70_000}, {}, 413, "65536"),
        ("POST", "/api/v1/control", b'{"mode": "balanced"}', {"Content-Type": "text/plain"}, 415, "application/json"),
        ("POST", "/api/v1/control", {"mode": "balanced"}, {"Content-Encoding": "gzip"}, 415, "content-encoding"),
        ("POST", "/api/v1/control", {"mode": "balanced"}, {"Origin": "https://evil.example"}, 403, "other sites"),
        ("POST", "/mode", {"mode": ["balanced"]}, {}, 400, "`mode` must be a string"),
        ("POST", "/anomaly", {"anomaly_id": "a"}, {}, 400, "is missing"),
        ("GET", "/api/v1/history?limit=many", None, {}, 400, "`limit`"),
        ("GET", "/api/v2/status", None, {}, 404, "nothing is served under /api/v2/status"),
    ],
)
def test_bad_requests_are_told_what_to_mend(engine, method, path, body, headers, status, words):
    before = ask(engine, "GET", "/api/v1/status").json["config_version"]
    answer = ask(engine, method, path, body, headers)
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/json"
    assert words in answer.json["error"]
    assert "override" not in ask(engine, "GET", "/api/v1/control").json
    assert before <= ask(engine, "GET", "/api/v1/status").json["config_version"]


def test_http2_is_served_on_the_same_port(engine):
    url = f"{engine.url('CONTROL_PORT')}/api/v1/control"
    command = ["curl", "-sS", "--http2-prior-knowledge", "-w", "\n%{http_version} %{http_code}", "-d", '{"mode": "balanced"}', url]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    body, _, told = answer.rpartition("\n")
    assert told == "2 200"
    assert json.loads(body)["current_mode"] == "balanced"


@pytest.mark.parametrize("method,path", operations())
def test_a_token_is_asked_for(guarded, method, path):
    is_open = path in ("/health", "/openapi.yaml")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = ask(guarded, method, path, example(method, path), headers)
        assert answer.status == (200 if is_open else 401), answer
        if not is_open:
            assert answer.headers["www-authenticate"].startswith('Bearer realm="phoenix"')
    answer = ask(guarded, method, path, example(method, path), {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 200, answer


def test_the_token_is_in_no_log(guarded):
    assert TOKEN not in guarded.log


def test_schemathesis_finds_nothing(engine, tmp_path):
    """Requests after the document, good and bad: no server error, and every answer as documented."""
    base = engine.url("CONTROL_PORT")
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    command = [str(program), "run", f"{base}/openapi.yaml", "--checks", "all", "--max-examples", "60", "--seed", "20260101"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=tmp_path)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "passed" in run.stdout
    print(run.stdout[-1500:])


def mode(engine, *arguments, **environment):
    command = [str(binary()), "mode", *arguments, "--address", f"127.0.0.1:{engine.port('CONTROL_PORT')}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)


def test_the_command_line_shows_sets_and_clears(engine):
    done = mode(engine, "set", "aggressive", "--for", "10m", "--reason", "by hand")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("aggressive")
    shown = mode(engine, "show")
    assert "override" in shown.stdout and "by hand" in shown.stdout
    status = json.loads(mode(engine, "show", "--format", "json").stdout)
    assert status["override"]["reason"] == "by hand"
    assert mode(engine, "clear").returncode == 0
    assert "override" not in ask(engine, "GET", "/api/v1/control").json


def test_the_command_line_says_what_was_wrong(engine, guarded, tmp_path):
    wrong = mode(engine, "set", "agressive")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "did you mean `aggressive`?" in wrong.stderr
    assert mode(engine, "set", "balanced", "--for", "0s").returncode == 64
    refused = mode(guarded, "show")
    assert refused.returncode == 1 and "token" in refused.stderr
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    assert mode(guarded, "show", "--token-file", str(token)).returncode == 0
    assert mode(guarded, "show", PHOENIX_CONTROL_TOKEN=TOKEN).returncode == 0
    assert mode(guarded, "show", "--token-file", str(tmp_path / "none")).returncode == 1
    nobody = subprocess.run(
        [str(binary()), "mode", "show", "--address", "127.0.0.1:1"], capture_output=True, text=True, timeout=30
    )
    assert nobody.returncode == 2 and "no control API at http://127.0.0.1:1" in nobody.stderr
