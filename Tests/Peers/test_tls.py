"""TLS, by clients that others wrote: OTLP by gRPC and HTTP, scrapes, and clients that must show who they are."""

import datetime
import os
import pathlib
import signal
import socket
import ssl
import subprocess

import grpc
import pytest
import trustme
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub

from engine import HERE, binary, free_ports, poll
from exposition import read
from otlp import one_point
from wire import raw


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A server's certificate, and a client's of another authority; file names by what they hold."""
    folder = tmp_path_factory.mktemp("pki")
    authority, clients = trustme.CA(), trustme.CA()
    server, client = authority.issue_cert("localhost", "127.0.0.1"), clients.issue_cert("agent@example.org")
    files = {name: str(folder / f"{name}.pem") for name in ("ca", "cert", "key", "client_ca", "client_cert", "client_key")}
    authority.cert_pem.write_to_path(files["ca"])
    clients.cert_pem.write_to_path(files["client_ca"])
    server.cert_chain_pems[0].write_to_path(files["cert"])
    server.private_key_pem.write_to_path(files["key"])
    client.cert_chain_pems[0].write_to_path(files["client_cert"])
    client.private_key_pem.write_to_path(files["client_key"])
    return files


def environment(pki):
    return {"CERTIFICATE": pki["cert"], "KEY": pki["key"], "CLIENT_CA": pki["client_ca"]}


@pytest.fixture(scope="module")
def secure(engines, pki):
    return engines("tls", env=environment(pki))


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "-m", "10", *arguments], capture_output=True, text=True)


def post(port, pki, *arguments):
    return curl(
        "--cacert", pki["ca"], "-o", os.devnull, "-w", "%{http_code} %{http_version}",
        "-H", "content-type: application/json", "-d", "{}", *arguments, f"https://localhost:{port}/v1/metrics",
    )  # fmt: skip


@pytest.mark.parametrize("version, spoken", [("--http1.1", "1.1"), ("--http2", "2")])
def test_http_is_chosen_by_alpn(secure, pki, version, spoken):
    assert post(secure.port("OTLP_PORT"), pki, version).stdout == f"200 {spoken}"


def test_grpc_and_scrapes(secure, pki):
    root = open(pki["ca"], "rb").read()
    with grpc.secure_channel(f"localhost:{secure.port('OTLP_PORT')}", grpc.ssl_channel_credentials(root)) as channel:
        MetricsServiceStub(channel).Export(one_point().message, timeout=10)
    url = f"https://localhost:{secure.port('FULL_PORT')}/metrics"
    poll("the point is exposed", lambda: "peers_requests_total" in curl("--fail", "--cacert", pki["ca"], url).stdout)


def test_clear_text_is_not_answered(secure):
    refused = curl(f"http://localhost:{secure.port('OTLP_PORT')}/v1/metrics")
    assert refused.returncode != 0 and refused.stdout == ""


def test_an_unknown_server_is_not_trusted(secure, pki):
    assert post(secure.port("OTLP_PORT"), pki | {"ca": pki["client_ca"]}).returncode == 60


def test_clients_show_who_they_are(secure, pki):
    port = secure.port("OTLP_PORT_2")
    assert post(port, pki).returncode != 0
    shown = ["--cert", pki["client_cert"], "--key", pki["client_key"]]
    assert post(port, pki, *shown).stdout.startswith("200 ")
    strange = ["--cert", pki["cert"], "--key", pki["key"]]
    assert post(port, pki, *strange).returncode != 0


def test_old_versions_are_refused(secure, pki):
    assert post(secure.port("OTLP_PORT"), pki, "--tls-max", "1.1").returncode != 0


@pytest.mark.parametrize("change, named", [({"KEY": "/nowhere/key.pem"}, "tls.key"), ({"CERTIFICATE": "KEY"}, "tls.certificate")])
def test_files_that_cannot_be_used_are_named(pki, change, named):
    files = environment(pki)
    files |= {name: files.get(value, value) for name, value in change.items()}
    names = ("ENGINE_PORT", "OTLP_PORT", "OTLP_PORT_2", "FULL_PORT")
    ports = {name: str(port) for name, port in zip(names, free_ports(len(names)))}
    run = subprocess.run(
        [str(binary()), "run", str(HERE / "graphs" / "tls.yaml")],
        capture_output=True, text=True, timeout=30, env=os.environ | ports | files,
    )  # fmt: skip
    assert run.returncode == 2, run.stderr
    assert named in run.stderr and files["KEY" if "key" in named else "CERTIFICATE"] in run.stderr


def hello_of_old() -> bytes:
    """What a client sends first that knows no version after TLS 1.1."""
    body = b"\x03\x02" + bytes(32) + b"\x00" + b"\x00\x02\x00\x2f" + b"\x01\x00"
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def test_failures_are_counted_by_reason_and_told(engines, pki):
    engine = engines("tls", env=environment(pki))
    port, closed = engine.port("OTLP_PORT"), engine.port("OTLP_PORT_2")
    strange = ["--cert", pki["cert"], "--key", pki["key"]]
    attempts = {
        "clear_text": lambda: curl(f"http://localhost:{port}/v1/metrics"),
        "version": lambda: raw(f"127.0.0.1:{port}", hello_of_old()),
        "no_client_certificate": lambda: post(closed, pki),
        "client_certificate": lambda: post(closed, pki, *strange),
        "alert": lambda: post(port, pki | {"ca": pki["client_ca"]}),
        "aborted": lambda: socket.create_connection(("127.0.0.1", port)).close(),
    }

    def failures() -> dict[str, float]:
        samples = read(engine.url("ENGINE_PORT")).items()
        return {dict(labels)["reason"]: value for (name, labels), value in samples if name == "phoenix_tls_failures_total"}

    expected = dict.fromkeys(failures(), 0)
    for reason, attempt in attempts.items():
        attempt()
        expected[reason] += 1
        poll(f"{reason} is counted", lambda: failures() == expected)
        if reason != "aborted":
            poll(f"{reason} is told", lambda: f"reason={reason}" in engine.log)
    lines = [line for line in engine.log.splitlines() if "connections fail in TLS" in line]
    # Who only looks whether the port is open is not worth a line.
    assert len(lines) == len(attempts) - 1, lines
    assert all("warning" in line and "peer=127.0.0.1:" in line and "address=" in line for line in lines), lines


@pytest.mark.parametrize("days, told", [((-2, -1), "no longer valid"), ((1, 2), "not valid yet")])
def test_a_certificate_out_of_its_time_is_told_at_the_start(engines, pki, tmp_path, days, told):
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = (now + datetime.timedelta(days=one) for one in days)
    issued = trustme.CA().issue_cert("localhost", not_before=begin, not_after=end)
    files = {"CERTIFICATE": tmp_path / "cert.pem", "KEY": tmp_path / "key.pem"}
    issued.cert_chain_pems[0].write_to_path(str(files["CERTIFICATE"]))
    issued.private_key_pem.write_to_path(str(files["KEY"]))
    engine = engines("tls", env=environment(pki) | {name: str(path) for name, path in files.items()})
    lines = [line for line in engine.log.splitlines() if told in line]
    assert len(lines) == 3, engine.log
    assert all("warning" in line and str(files["CERTIFICATE"]) in line and f"{end:not_after=%Y-%m-%d}" in line for line in lines)
    assert shown(engine) == issued.cert_chain_pems[0].bytes().decode().strip()
    engine.drain()


class Renewals:
    """A certificate and its key under names that stay, as a client of an authority renews them."""

    def __init__(self, folder: pathlib.Path):
        self.authority, self.certificate, self.key = trustme.CA(), folder / "cert.pem", folder / "key.pem"
        self.renew()

    def renew(self, with_key=True) -> str:
        """Renames new files over the old ones; answers what connecting clients should then be shown."""
        issued = self.authority.issue_cert("localhost", "127.0.0.1")
        for path, pem in ((self.key, issued.private_key_pem), (self.certificate, issued.cert_chain_pems[0])):
            if path == self.certificate or with_key:
                beside = path.with_suffix(".new")
                beside.write_bytes(pem.bytes())
                beside.rename(path)
        return issued.cert_chain_pems[0].bytes().decode().strip()


def shown(engine) -> str:
    return ssl.get_server_certificate(("127.0.0.1", engine.port("OTLP_PORT"))).strip()


@pytest.mark.parametrize("options", [[], ["--watch"]], ids=["sighup", "watch"])
def test_renewed_files_are_taken_and_bad_ones_leave_the_old_certificate(engines, pki, tmp_path, options):
    files = Renewals(tmp_path)
    env = environment(pki) | {"CERTIFICATE": str(files.certificate), "KEY": str(files.key)}
    engine = engines("tls", env=env, options=options)

    def changed():
        if not options:
            engine.process.send_signal(signal.SIGHUP)

    def reloads(outcome: str) -> float:
        samples = read(engine.url("ENGINE_PORT"))
        return sum(v for (name, labels), v in samples.items() if name == "phoenix_reloads_total" and ("outcome", outcome) in labels)

    for _ in range(2):
        new = files.renew()
        changed()
        poll("the renewed certificate is shown", lambda: shown(engine) == new)
    failures = reloads("failed")
    files.renew(with_key=False)
    changed()
    poll("the pair that does not fit is refused", lambda: reloads("failed") > failures)
    assert shown(engine) == new and "give a readable PEM file, and the key that belongs to the certificate" in engine.log
    engine.drain()


def test_an_address_takes_tls_and_gives_it_up(engines, pki, tmp_path):
    secured = (HERE / "graphs" / "tls.yaml").read_text()
    line = '    tls: {certificate: "${env:CERTIFICATE}", key: "${env:KEY}"}\n'
    assert line in secured
    clear, graph = secured.replace(line, "", 1), tmp_path / "graph.yaml"
    graph.write_text(clear)
    engine = engines(graph, env=environment(pki))
    port = engine.port("OTLP_PORT")

    def in_clear() -> str:
        json = ["-H", "content-type: application/json", "-d", "{}"]
        return curl("-o", os.devnull, "-w", "%{http_code}", *json, f"http://localhost:{port}/v1/metrics").stdout

    for text in (secured, clear):
        graph.write_text(text)
        engine.process.send_signal(signal.SIGHUP)
        if text == secured:
            poll("TLS is spoken", lambda: post(port, pki).stdout.startswith("200 "))
            assert in_clear() != "200"
        else:
            poll("clear text is spoken", lambda: in_clear() == "200")
            assert post(port, pki).returncode != 0
    engine.drain()
