"""A phoenix process under test: started on free ports, awaited, drained, and held to exit 0."""

import functools
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def binary() -> pathlib.Path:
    named = os.environ.get("PHOENIX_BINARY")
    candidates = [pathlib.Path(named)] if named else [ROOT / ".build" / kind / "phoenix" for kind in ("release", "debug")]
    for candidate in candidates:
        if candidate.exists():
            return candidate.resolve()
    raise FileNotFoundError(f"no phoenix binary at {candidates}; build it, or set PHOENIX_BINARY")


@functools.cache
def without_privileges() -> tuple[str, ...]:
    """
    What goes before a command so that it may do no more than an ordinary user's: operators do not run Phoenix as root. Nothing
    where the tests are no root's, or root may not give its privileges away here.
    """
    command = ("setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--")
    if os.geteuid() != 0 or subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        return ()
    return command


def poll(what, observe, deadline=20.0, every=0.02):
    """The first truthy answer of `observe`; the last falsy one, or its error, is told when the deadline passes."""
    end = time.monotonic() + deadline
    while True:
        seen = None
        try:
            seen = observe()
            if seen:
                return seen
        except (OSError, AssertionError) as error:
            seen = error
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {deadline} s; last seen: {seen!r}")
        time.sleep(every)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def fetch(url: str, headers: dict[str, str] | None = None, timeout=10.0) -> tuple[int, dict[str, str], bytes]:
    """GET; the status is an answer, not an error. Header names are in small letters."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


class Engine:
    """
    One process with one graph: a name in `graphs/` here, or a file. It finds its ports in the environment. `rights` is what goes
    before its command.
    """

    PORTS = ("ENGINE_PORT", "OTLP_PORT", "OTLP_PORT_2", "FULL_PORT", "OPTIMIZED_PORT", "TOPK_PORT", "CONTROL_PORT", "OBSERVATORY_PORT", "KPI_PORT", "ADMIN_PORT")

    def __init__(self, graph: str | pathlib.Path, directory: pathlib.Path, *, sets=(), log_level="info", stdin=None, stdout=None, stderr=None, env=None, options=(), rights=None):
        self.ports = dict(zip(self.PORTS, free_ports(len(self.PORTS))))
        self.is_told = False
        self.log_path = directory / f"{self.ports['ENGINE_PORT']}.log"
        self.log_file = open(self.log_path, "wb")
        file = HERE / "graphs" / f"{graph}.yaml" if isinstance(graph, str) else graph
        rights = without_privileges() if rights is None else rights
        command = [*rights, str(binary()), "run", str(file), "--log-level", log_level, *options]
        for one in sets:
            command += ["--set", one.format_map(self.ports)]
        # A crash ends it at once: see docs/service.md.
        environment = {"SWIFT_BACKTRACE": "enable=no"} | os.environ | {name: str(port) for name, port in self.ports.items()} | (env or {})
        self.process = subprocess.Popen(
            command, stdin=stdin, stdout=stdout or self.log_file, stderr=stderr or self.log_file, env=environment, start_new_session=True
        )
        try:
            poll("ready", self._ready, deadline=30)
        except BaseException:
            self.kill()
            raise
        self.ready_at = time.time_ns()

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"phoenix ended with {self.process.returncode}:\n{self.log}")
        return fetch(f"{self.url('ENGINE_PORT')}/ready", timeout=2)[0] == 200

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def port(self, name: str) -> int:
        return self.ports[name]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def otlp(self) -> str:
        return f"127.0.0.1:{self.ports['OTLP_PORT']}"

    def terminate(self):
        """Tells it to drain; a second signal, half a second later, would end it at once."""
        if not self.is_told and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.is_told = True

    def drain(self, within=30.0):
        """Ends the process as an operator would."""
        self.terminate()
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"phoenix did not drain within {within} s:\n{self.log}") from None
        self.log_file.close()
        assert code == 0, f"phoenix ended with {code}:\n{self.log}"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log_file.close()
