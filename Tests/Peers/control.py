"""A load whose size in each mode is known, and a watch on the control file: what the tests of the control loop share."""

import threading
import time
from collections import defaultdict

import yaml

from otlp import Request
from wire import export

LAST_KEY = "last_profile_change_timestamp"


class Load:
    """Processes that count calls, sent again and again; the optimized pipeline's series in each mode can be told.

    A `java_app` stays whole in `conservative` and `balanced`, an `nginx` keeps its owner in `conservative` only.
    """

    def __init__(self, engine):
        self.engine = engine
        self.expected: defaultdict[str, float] = defaultdict(float)
        self.lock = threading.Lock()
        self.processes: list[dict] = []
        self.pids = iter(range(1, 1_000_000))
        self.ended = threading.Event()
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def resize(self, whole: int, owners: int):
        """So many processes of each kind from now on: some go on, others come new or are not heard of again."""
        with self.lock:
            kept = []
            for name, count in (("java_app", whole), ("nginx", owners)):
                mine = [one for one in self.processes if one["name"] == name][:count]
                kept += mine + [self._process(name) for _ in range(count - len(mine))]
            self.processes = kept

    def _process(self, name: str) -> dict:
        pid = next(self.pids)
        attributes = {
            "host.name": "a", "service.name": "s", "process.executable.name": name,
            "process.pid": pid, "process.owner": f"owner-{pid}",
        }
        return {"name": name, "attributes": attributes, "start": time.time_ns(), "calls": 0}

    def _run(self):
        while not self.ended.wait(0.15):
            try:
                with self.lock:
                    self.send()
            except Exception as error:  # Told to the test by `end`.
                self.error = error
                return

    def send(self):
        """Every process reports once; call it with the lock."""
        request = Request()
        for process in self.processes:
            process["calls"] += 3
            request.resource_of(process["attributes"]).sum("hand.calls", process["calls"], process["start"])
        if not self.processes:
            return
        answer = export(self.engine.otlp, request.bytes)
        assert answer.status == 200, answer
        self.expected["hand_calls_total"] += 3 * len(self.processes)

    def end(self):
        self.ended.set()
        self.thread.join(20)
        assert not self.error, self.error


def state(path) -> dict:
    """What the control file says now."""
    return yaml.safe_load(path.read_text())


class FileWatch:
    """Reads the control file as fast as it can: every state must be whole, and no version may be less than one before."""

    def __init__(self, path):
        self.path = path
        self.states: list[dict] = []
        self.problems: list[str] = []
        self.reads = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        last = None
        while not self.ended.wait(0.002):
            try:
                text = self.path.read_text()
            except FileNotFoundError:
                if last is not None:
                    self.problems.append("the file is gone")
                continue
            self.reads += 1
            if text == last:
                continue
            last = text
            try:
                state = yaml.safe_load(text)
                assert LAST_KEY in state, "half-written"
            except Exception as error:
                self.problems.append(f"{error!r}: {text!r}")
                continue
            if self.states and state["config_version"] <= self.states[-1]["config_version"]:
                self.problems.append(f"version {state['config_version']} after {self.states[-1]['config_version']}")
            self.states.append(state)

    @property
    def now(self) -> dict:
        return state(self.path)

    def end(self):
        self.ended.set()
        self.thread.join(10)
        assert not self.problems, self.problems[:5]
