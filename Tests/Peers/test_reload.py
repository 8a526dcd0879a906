"""The graph is changed while the program runs: by every road there is, and undone at every step that fails."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import grpc
import h2.config
import h2.connection
import h2.events
import pytest

from engine import HERE, Engine, binary, fetch, poll
from exposition import read
from lease import Lease
from otlp import Request, one_point
from wire import EXPORT, PROTOBUF, call, export, send

ENDS = """\
exporters:
  full_endpoint: {type: prometheus, from: otlp, listen: "127.0.0.1:${env:FULL_PORT}", namespace: full}
  optimized_endpoint: {type: prometheus, from: optimized, listen: "127.0.0.1:${env:OPTIMIZED_PORT}", namespace: opt}
  topk_endpoint: {type: prometheus, from: ranked, listen: "127.0.0.1:${env:TOPK_PORT}", namespace: top}
"""
OVERLAY = "processors:\n  optimized: {drop: [process.pid]}\n"


class Files:
    """A graph file with its part and its environment, as an operator's editor changes them."""

    def __init__(self, directory: pathlib.Path):
        self.root = directory / "graph.yaml"
        self.part = directory / "parts" / "ends.yaml"
        self.overlay = directory / "environments" / "staging.yaml"
        self.part.parent.mkdir()
        self.overlay.parent.mkdir()
        shutil.copy(HERE / "graphs" / "reload.yaml", self.root)
        self.part.write_text(ENDS)
        self.overlay.write_text(OVERLAY)
        self.before = {path: path.read_text() for path in (self.root, self.part, self.overlay)}

    def edit(self, path: pathlib.Path, old: str, new: str, by_rename=False):
        text = path.read_text()
        assert old in text
        if by_rename:
            beside = path.with_suffix(".new")
            beside.write_text(text.replace(old, new))
            beside.rename(path)
        else:
            path.write_text(text.replace(old, new))

    def restore(self):
        for path, text in self.before.items():
            if path.read_text() != text:
                path.write_text(text)


class Instance:
    def __init__(self, engine: Engine, files: Files):
        self.engine, self.files, self.sent = engine, files, 0
        self.address = f"127.0.0.1:{engine.port('ADMIN_PORT')}"

    @property
    def status(self) -> dict:
        code, _, body = fetch(f"http://{self.address}/api/v1/graph")
        assert code == 200, body
        return json.loads(body)

    def taken(self, origin: str, before: int):
        """A change of this origin, later than the generation `before`, has passed its probation."""
        def is_wanted(one: dict) -> bool:
            return (one["outcome"], one["origin"]) == ("taken", origin) and one["generation"] > before

        poll(f"a change by {origin}", lambda: any(is_wanted(one) for one in self.status["reloads"]))

    def counted(self, outcome: str) -> float:
        samples = read(self.engine.url("ENGINE_PORT"))
        return sum(v for (name, labels), v in samples.items() if name == "phoenix_reloads_total" and ("outcome", outcome) in labels)

    def command(self, *words: str, cwd: pathlib.Path | None = None) -> subprocess.CompletedProcess:
        environment = os.environ | {name: str(port) for name, port in self.engine.ports.items()}
        return subprocess.run(
            [str(binary()), *words, "--address", self.address], capture_output=True, text=True, timeout=60, env=environment, cwd=cwd
        )

    def reload(self) -> subprocess.CompletedProcess:
        return self.command("reload")

    def serves(self):
        """What is sent, a counter never seen before, comes out of all three endpoints."""
        self.sent += 1
        assert export(self.engine.otlp, one_point(f"peers.sent.{self.sent}", 7).bytes).status == 200
        for port, name in (("FULL_PORT", "full"), ("OPTIMIZED_PORT", "opt"), ("TOPK_PORT", "top")):
            counter = f"{name}_peers_sent_{self.sent}_total"
            poll(counter, lambda: exposed(self.engine, port, counter) == [7])


def exposed(engine: Engine, port: str, name: str) -> list[float]:
    return [value for (one, _), value in read(engine.url(port)).items() if one == name]


@pytest.fixture(scope="module")
def watched(engines, tmp_path_factory):
    files = Files(tmp_path_factory.mktemp("watched"))
    return Instance(engines(files.root, options=["--watch", "--env", "staging"]), files)


@pytest.fixture(scope="module")
def plain(engines, tmp_path_factory):
    files = Files(tmp_path_factory.mktemp("plain"))
    return Instance(engines(files.root), files)


@pytest.fixture(autouse=True)
def as_before(request):
    """Each test leaves the files and the running graph as they were."""
    yield
    for name in ("watched", "plain"):
        if name in request.fixturenames:
            instance = request.getfixturevalue(name)
            instance.files.restore()
            poll("the graph is as before", lambda: instance.reload().returncode == 0)


@pytest.mark.parametrize("by_rename", [False, True], ids=["written in place", "renamed over"])
@pytest.mark.parametrize("which", ["root", "part", "overlay"])
def test_an_edit_of_a_watched_file_is_taken(watched, which, by_rename):
    old, new = {
        "root": ("k: 2", "k: 3"),
        "part": ("namespace: full", "namespace: whole"),
        "overlay": ("[process.pid]", "[process.pid, container.id]"),
    }[which]
    before = watched.status["generation"]
    watched.files.edit(getattr(watched.files, which), old, new, by_rename)
    watched.taken("watch", before)


def test_a_watched_file_that_is_wrong_is_refused_with_its_place(watched):
    before, refused = watched.status["generation"], watched.counted("refused")
    watched.files.edit(watched.files.part, "namespace: full", "namespaces: full", by_rename=True)
    poll("the refusal is counted", lambda: watched.counted("refused") > refused)
    assert "ends.yaml:2:" in watched.engine.log
    assert watched.status["generation"] == before
    watched.serves()


def test_sighup_reads_the_file_anew(plain):
    plain.files.edit(plain.files.root, "k: 2", "k: 3")
    before = plain.status["generation"]
    plain.engine.process.send_signal(signal.SIGHUP)
    plain.taken("sighup", before)


def test_plan_says_what_reload_then_does(plain):
    plain.serves()
    plain.files.edit(plain.files.part, "namespace: full", "namespace: whole")
    before = plain.status["generation"]
    plan = plain.command("plan", str(plain.files.root))
    assert plan.returncode == 0 and "full_endpoint" in plan.stdout and "topk_endpoint" not in plan.stdout, plan
    assert plain.status["generation"] == before, "a plan does nothing"
    done = plain.reload()
    assert done.returncode == 0 and "full_endpoint" in done.stdout, done
    assert plain.status["generation"] > before
    assert "where several share a label set then, their sum begins anew" in plan.stdout, "what is forgotten is said"
    assert export(plain.engine.otlp, one_point("peers.planned", 7).bytes).status == 200
    poll("the heir serves under its new name", lambda: exposed(plain.engine, "FULL_PORT", "whole_peers_planned_total") == [7])


def test_the_admin_api_is_reached_by_a_unix_socket(engines, tmp_path):
    files, address = Files(tmp_path), f"unix:{tmp_path}/admin.sock"
    instance = Instance(engines(files.root, sets=[f'engine.admin.listen=["{address}"]']), files)
    instance.address = address
    files.edit(files.part, "namespace: full", "namespace: whole")
    for command in (("plan", str(files.root)), ("reload",)):
        done = instance.command(*command)
        assert done.returncode == 0 and "full_endpoint" in done.stdout, done
    assert instance.reload().returncode == 0


def test_a_plan_from_elsewhere_has_the_environment_of_the_instance(watched, tmp_path):
    shutil.copytree(watched.files.root.parent, tmp_path / "copy", ignore=shutil.ignore_patterns("environments"))
    root = tmp_path / "copy" / "graph.yaml"
    root.write_text(root.read_text().replace("drop: [process.pid]", "drop: [host.name]").replace("k: 2", "k: 3"))
    for path, cwd in (("graph.yaml", root.parent), ("copy/graph.yaml", tmp_path), (str(root), None)):
        plan = watched.command("plan", path, "--format", "json", cwd=cwd)
        assert plan.returncode == 0, plan
        changed = [node["node"] for node in json.loads(plan.stdout)["nodes"] if node["action"] != "keep"]
        # What its environment says of `optimized` wins, as where it runs.
        assert changed == ["ranked"], plan


def test_a_change_is_in_the_history_from_the_moment_at_which_it_runs(plain):
    plain.files.edit(plain.files.root, "k: 2", "k: 3")
    assert send(plain.address, "PUT", "/api/v1/graph").status == 200
    status = plain.status
    newest = status["reloads"][0]
    assert (newest["generation"], newest["origin"]) == (status["generation"], "api"), newest
    assert newest["outcome"] in ("probation", "taken"), newest
    poll("its probation is over", lambda: plain.status["reloads"][0]["outcome"] == "taken")


def test_a_change_through_the_api_is_in_the_log(plain):
    def told(what: str) -> int:
        return len(re.findall(rf"{what}.*?\borigin=api\b", plain.engine.log, re.DOTALL))

    taken, refused = told("the graph was read anew"), told("the graph was not taken over")
    plain.files.edit(plain.files.root, "k: 2", "k: 3")
    assert send(plain.address, "PUT", "/api/v1/graph").status == 200
    poll("it is told", lambda: told("the graph was read anew") == taken + 1)
    assert send(plain.address, "PUT", "/api/v1/graph", b"graph: [", {"content-type": "application/yaml"}).status == 422
    poll("the refusal is told", lambda: told("the graph was not taken over") == refused + 1)


def test_a_misspelt_flag_changes_nothing(plain):
    before = plain.status["generation"]
    plain.files.edit(plain.files.root, "k: 2", "k: 3")
    refused = send(plain.address, "PUT", "/api/v1/graph?dryrun=true")
    assert refused.status == 400 and b"`dryrun` is not known" in refused.body, refused
    assert plain.status["generation"] == before


def test_a_name_that_leads_here_is_no_way_in(plain):
    """As a page does whose owner points its name at this machine."""
    connection = http.client.HTTPConnection(plain.address)
    for method in ("GET", "PUT"):
        headers = {"Host": "evil.example:13134", "Origin": "http://evil.example:13134"}
        connection.request(method, "/api/v1/graph?dry_run=true", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 403, answer
        assert b"not served here" in answer.read()
    connection.request("GET", "/api/v1/graph", headers={"Host": "localhost:1"})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_reload_without_a_change_is_none(plain):
    before = plain.status["generation"]
    assert plain.reload().returncode == 0
    assert plain.status["generation"] == before


def fails(instance: Instance, outcome: str, *words: str):
    """The file as it is cannot be taken: that is said, counted, and the old graph serves."""
    before, count = instance.status["generation"], instance.counted(outcome)
    answer = instance.reload()
    assert answer.returncode == 1, answer
    for word in words:
        assert word in answer.stdout + answer.stderr, answer
    assert instance.counted(outcome) == count + 1
    assert instance.status["generation"] == before
    instance.serves()


def test_a_file_that_is_no_graph_leaves_the_old_one_serving(plain):
    plain.files.root.write_text("receivers: [")
    fails(plain, "refused", "graph.yaml:1")


def test_a_graph_without_what_cannot_change_is_refused_at_its_file(plain):
    text = plain.files.root.read_text()
    plain.files.root.write_text(text[: text.index("engine:")] + text[text.index("receivers:") :])
    fails(plain, "refused", "`engine.admin` cannot change", f"{plain.files.root}:1:1")


def test_a_missing_part_leaves_the_old_graph_serving(plain):
    plain.files.edit(plain.files.root, "parts/ends.yaml", "parts/none.yaml")
    fails(plain, "refused", "none.yaml")


def test_a_pipe_in_place_of_a_part_leaves_the_old_graph_serving(plain):
    text = plain.files.part.read_text()
    plain.files.part.unlink()
    os.mkfifo(plain.files.part)
    try:
        fails(plain, "refused", "ends.yaml", "it is a pipe")
    finally:
        plain.files.part.unlink()
        plain.files.part.write_text(text)
    change(plain, plain.files.part, "namespace: full", "namespace: fuller")


def test_a_watched_part_comes_back_after_a_pipe(watched):
    text, before, refused = watched.files.part.read_text(), watched.status["generation"], watched.counted("refused")
    watched.files.part.unlink()
    os.mkfifo(watched.files.part)
    try:
        poll("the pipe is refused", lambda: "it is a pipe" in watched.engine.log and watched.counted("refused") > refused)
    finally:
        watched.files.part.unlink()
        watched.files.part.write_text(text.replace("namespace: full", "namespace: fuller"))
    watched.taken("watch", before)


def test_a_file_that_is_not_given_out_holds_up_no_drain(engines, tmp_path):
    files = Files(tmp_path)
    engine = engines(files.root)
    lease = Lease(files.part)
    try:
        engine.process.send_signal(signal.SIGHUP)
        poll("it opens the part", lambda: lease.is_awaited)
        # The kernel would give the file out after 45 s.
        engine.drain(within=20)
    finally:
        lease.release()


def test_a_graph_by_a_pipe_is_run_and_read_once(engines, tmp_path):
    files = Files(tmp_path)
    end, other = os.pipe()
    os.write(other, (files.root.read_text().replace("include: [parts/ends.yaml]\n", "") + ENDS).encode())
    os.close(other)
    engine = engines(pathlib.Path("/dev/stdin"), stdin=end)
    os.close(end)
    engine.process.send_signal(signal.SIGHUP)
    poll("the second reading is refused", lambda: "`/dev/stdin`: it is a pipe, which can be read once only" in engine.log)
    instance = Instance(engine, files)
    instance.serves()


def test_a_missing_secret_leaves_the_old_graph_serving(plain):
    plain.files.edit(plain.files.root, "k: 2", 'k: "${file:/nowhere/secret}"')
    fails(plain, "refused", "/nowhere/secret", "graph.yaml:13")


def test_a_missing_variable_leaves_the_old_graph_serving(plain):
    plain.files.edit(plain.files.root, "k: 2", 'k: "${env:PEERS_NOWHERE}"')
    fails(plain, "refused", "PEERS_NOWHERE", "graph.yaml:13")


def test_a_port_that_is_taken_leaves_the_old_graph_serving(plain):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        plain.files.edit(plain.files.part, "127.0.0.1:${env:TOPK_PORT}", f"127.0.0.1:{port}")
        fails(plain, "failed", "topk_endpoint", str(port))


def change(instance: Instance, path: pathlib.Path, old: str, new: str):
    instance.files.edit(path, old, new)
    before = instance.status["generation"]
    done = instance.reload()
    assert done.returncode == 0, done
    assert instance.status["generation"] > before, done


def test_a_receiver_takes_another_host_on_its_port(plain):
    for old, new in (("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1")):
        change(plain, plain.files.root, old + ":${env:OTLP_PORT}", new + ":${env:OTLP_PORT}")
        plain.serves()


def test_a_receiver_that_cannot_have_its_other_host_keeps_the_first(plain):
    with socket.socket() as other:
        other.bind(("127.0.0.2", plain.engine.port("OTLP_PORT")))
        other.listen()
        plain.files.edit(plain.files.root, "127.0.0.1:${env:OTLP_PORT}", "0.0.0.0:${env:OTLP_PORT}")
        fails(plain, "failed", "otlp", "another process listens there already")


def replace_receiver(instance: Instance):
    change(instance, instance.files.root, 'PORT}"]}\nprocessors', 'PORT}"], max_request_bytes: 32MiB}\nprocessors')


def test_an_open_connection_and_a_request_half_sent_outlive_the_receiver_behind_them(plain):
    body = one_point().bytes
    idle = http.client.HTTPConnection(plain.engine.otlp, timeout=20)
    halfway = http.client.HTTPConnection(plain.engine.otlp, timeout=20)
    for one in (idle, halfway):
        one.request("POST", "/v1/metrics", body=one_point().bytes, headers={"content-type": PROTOBUF})
        assert one.getresponse().read() == b""
    sockets = [idle.sock, halfway.sock]
    halfway.putrequest("POST", "/v1/metrics")
    halfway.putheader("content-type", PROTOBUF)
    halfway.putheader("content-length", str(len(body)))
    halfway.endheaders(body[:10])
    replace_receiver(plain)
    halfway.send(body[10:])
    assert halfway.getresponse().status == 200
    idle.request("POST", "/v1/metrics", body=one_point().bytes, headers={"content-type": PROTOBUF})
    assert idle.getresponse().status == 200
    assert [idle.sock, halfway.sock] == sockets, "a client connected anew"
    idle.close()
    halfway.close()


def test_an_http2_stream_in_flight_outlives_the_receiver_behind_it(plain):
    message = one_point("peers.stream").bytes
    frame = b"\0" + len(message).to_bytes(4, "big") + message
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    host, port = plain.engine.otlp.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as peer:
        client.initiate_connection()
        client.send_headers(
            1,
            [(":method", "POST"), (":scheme", "http"), (":path", EXPORT), (":authority", plain.engine.otlp)]
            + [("content-type", "application/grpc"), ("te", "trailers")],
        )
        client.send_data(1, frame[:7])
        peer.sendall(client.data_to_send())
        replace_receiver(plain)
        client.send_data(1, frame[7:], end_stream=True)
        peer.sendall(client.data_to_send())
        trailers = {}
        while "grpc-status" not in trailers:
            data = peer.recv(65536)
            assert data, "the connection was closed"
            for event in client.receive_data(data):
                assert not isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)), event
                if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                    trailers |= dict(event.headers)
            peer.sendall(client.data_to_send())
        assert trailers["grpc-status"] == "0", trailers
    poll("its point", lambda: exposed(plain.engine, "FULL_PORT", "full_peers_stream_total") == [1])


def test_a_channel_goes_on_over_changes(plain):
    with grpc.insecure_channel(plain.engine.otlp) as channel:
        call(channel, one_point().bytes)
        replace_receiver(plain)
        call(channel, one_point().bytes)


def test_a_scrape_in_progress_outlives_the_exporter_behind_it(plain):
    """The answer is larger than the sockets' buffers: most of it is written after the change."""
    for start in range(0, 40_000, 2_000):
        request = Request().resource(service_name="scraped")
        for point in range(start, start + 2_000):
            request.gauge("peers.wide", point, number=point, filler="x" * 200)
        assert export(plain.engine.otlp, request.bytes).status == 200
    poll("all series", lambda: len(exposed(plain.engine, "FULL_PORT", "full_peers_wide")) == 40_000, every=0.5)
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.settimeout(30)
        peer.connect(("127.0.0.1", plain.engine.port("FULL_PORT")))
        peer.sendall(b"GET /metrics HTTP/1.1\r\nhost: peers\r\nconnection: close\r\n\r\n")
        answer = peer.recv(1000)
        change(plain, plain.files.part, "namespace: full", "namespace: whole")
        parts = [answer]
        while part := peer.recv(1 << 16):
            parts.append(part)
    answer = b"".join(parts)
    assert len(answer) > 8 << 20
    lines = [line for line in answer.split(b"\n") if line.startswith(b"full_peers_wide{")]
    assert len(lines) == 40_000
    assert b"whole_peers" not in answer
