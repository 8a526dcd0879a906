"""A process is killed under load and another takes its place: no counter falls, and what was lost is told.

`PHOENIX_RESTARTS=100` asks for more rounds; `PHOENIX_SEED` repeats a run.
"""

import functools
import http.client
import math
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import threading
import time

import pytest

from engine import HERE, Engine, fetch, poll
from exposition import read
from otlp import DELTA, Request
from wire import export

ROUNDS = int(os.environ.get("PHOENIX_RESTARTS", "6"))
NAMES = {"FULL_PORT": "phoenix_full_final_output", "OPTIMIZED_PORT": "phoenix_opt_final_output", "TOPK_PORT": "phoenix_exp_final_output"}


class Sender:
    """Some processes of a host, which tell totals and increments until they are told to stop."""

    def __init__(self, host: str, pids: range, seed: int):
        self.host, self.pids, self.random = host, pids, random.Random(seed)
        self.start = time.time_ns()
        self.totals = {pid: 0 for pid in pids}
        self.since = {pid: self.start for pid in pids}
        # Of every request what it grew by, when it was answered, and whether with 200; never, where the process was killed.
        self.requests: list[tuple[int, float, bool]] = []

    def send(self, otlp: str) -> bool:
        request, now, increase = Request(), time.time_ns(), 0
        for pid in self.pids:
            grown = self.random.randrange(1, 50)
            self.totals[pid] += grown
            increase += grown
            request.resource(host_name=self.host, process_pid=pid)
            request.sum("peers.whole", self.totals[pid], self.start, now)
            request.sum("peers.real", self.totals[pid] / 8, self.start, now)
            request.sum("peers.delta", grown, self.since[pid], now, temporality=DELTA)
            request.histogram("peers.seconds", [1.0], [self.totals[pid], 0], float(self.totals[pid]), self.start, now)
            self.since[pid] = now
        try:
            isDone, answered = export(otlp, request.bytes).status == 200, time.time()
        except (OSError, http.client.HTTPException):
            isDone, answered = False, math.inf
        self.requests.append((increase, answered, isDone))
        return isDone

    def intake(self, since: float = 0, done: bool = False) -> int:
        """What came in with requests that were not answered before; only those that were acknowledged, where `done`."""
        return sum(increase for increase, at, ok in self.requests if since <= at and (ok or not done))


class Watcher:
    """Scrapes all endpoints and remembers the most that every counter ever showed."""

    def __init__(self):
        self.most: dict = {}
        self.falls: list = []
        self.scrapes = 0

    def scrape(self, engine: Engine):
        for port, namespace in NAMES.items():
            samples = read(engine.url(port))
            self.scrapes += 1
            for (name, labels), value in samples.items():
                if not name.startswith(namespace + "_peers"):
                    continue
                key = (name, labels)
                if value < self.most.get(key, 0):
                    self.falls.append((key, self.most[key], value))
                self.most[key] = max(self.most.get(key, 0), value)

    def total(self, port: str, name: str) -> float:
        prefix = f"{NAMES[port]}_{name}"
        return sum(value for (one, _), value in self.most.items() if one == prefix)


def metric(engine: Engine, name: str, **labels) -> float:
    samples = read(engine.url("ENGINE_PORT"))
    return samples[(name, tuple(sorted(labels.items())))]


def picture_began(state) -> float:
    """When the process began to write a state file, in seconds since 1970: the first number in it."""
    number, bytes_ = 0, state.read_bytes()[21:]
    for place, byte in enumerate(bytes_):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number / 1e9
    raise ValueError("the state has no head")


def working(work, stop: threading.Event) -> threading.Thread:
    def loop():
        while not stop.is_set():
            work()

    thread = threading.Thread(target=loop)
    thread.start()
    return thread


@pytest.mark.timeout(30 + 6 * ROUNDS)
def test_no_counter_falls_when_a_process_is_killed(tmp_path):
    seed = int(os.environ.get("PHOENIX_SEED", time.time_ns() % 100_000))
    print(f"seed {seed}")
    dice = random.Random(seed)
    state = tmp_path / "state"
    senders: list[Sender] = []
    watcher = Watcher()
    # What came in since the file that the next process read was begun, over all kills; and how long that was each time.
    lost_at_most, ages, gaps, lost = 0, [], [], []
    for round in range(ROUNDS + 1):
        engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
        try:
            if not senders:
                senders = [Sender(f"h{index // 2}", range(index * 10, index * 10 + 5), seed + index) for index in range(4)]
            else:
                assert metric(engine, "phoenix_state_restores_total", outcome="restored") == 1, engine.log
                gaps.append(metric(engine, "phoenix_state_gap_seconds"))
                assert killed - began <= gaps[-1] <= engine.ready_at / 1e9 - began, (gaps[-1], began, killed)
            # Before any sender is there again: what was shown is shown.
            watcher.scrape(engine)
            if senders and round:
                # An endpoint's own sums of increments tell at once what this kill cost.
                shown = watcher.total("FULL_PORT", "peers_delta_total")
                lost.append(sum(one.intake(done=True) for one in senders) - shown - sum(lost))
                assert lost[-1] <= at_most, (round, lost[-1], at_most)
            if round == ROUNDS:
                break
            stop, dying, trouble = threading.Event(), threading.Event(), []
            threads = [working(lambda one=one: one.send(engine.otlp) or time.sleep(0.01), stop) for one in senders]

            def scrape():
                try:
                    watcher.scrape(engine)
                except (OSError, http.client.HTTPException, AssertionError, ValueError) as error:
                    # Cut off by the kill: a scraper throws such a scrape away.
                    if not dying.is_set():
                        trouble.append(error)

            threads.append(working(scrape, stop))
            poll("a state", state.exists)
            time.sleep(dice.uniform(0.3, 1.2))
            dying.set()
            engine.kill()
            killed, began = time.time(), picture_began(state)
            stop.set()
            for thread in threads:
                thread.join()
            assert not trouble, trouble
            at_most = sum(one.intake(began, done=True) for one in senders)
            lost_at_most += at_most
            ages.append(killed - began)
            if round % 10 == 9:
                print(f"{round + 1} of {ROUNDS} kills", flush=True)
        finally:
            if round < ROUNDS:
                engine.kill()
    for one in senders:
        assert one.send(engine.otlp)
    due = sum(sum(one.totals.values()) for one in senders)
    for port in NAMES:
        def settled():
            watcher.scrape(engine)
            return watcher.total(port, "peers_whole_total") >= due
        poll(f"{port}: whole totals of {due}", settled)
        whole = watcher.total(port, "peers_whole_total")
        print(f"{port}: of totals of {due} shown {whole:.0f}")
        assert whole == due
        assert watcher.total(port, "peers_real_total") == due / 8
        assert watcher.total(port, "peers_seconds_count") == due
    assert not watcher.falls, watcher.falls[:5]
    acknowledged, sent = sum(one.intake(done=True) for one in senders), sum(one.intake() for one in senders)
    for port in NAMES:
        shown = watcher.total(port, "peers_delta_total")
        print(f"{port}: of increments of {acknowledged} shown {shown:.0f}; since the last writing came {lost_at_most}")
        # What was taken in, but not acknowledged before the kill, may be there or not.
        assert acknowledged - lost_at_most <= shown <= sent, (port, acknowledged, lost_at_most, shown)
    print(f"lost by a kill: {min(lost):.0f} to {max(lost):.0f}; the state was {min(ages):.3f} to {max(ages):.3f} s old")
    print(f"{ROUNDS} kills, {watcher.scrapes} scrapes, gaps of {min(gaps):.2f} to {max(gaps):.2f} s")
    engine.drain()


def test_a_restart_in_order_loses_nothing(tmp_path):
    state = tmp_path / "state"
    sender = None
    for round in range(3):
        engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
        if sender is None:
            sender = Sender("h", range(5), 1)
        else:
            assert metric(engine, "phoenix_state_gap_seconds") == 0
        for _ in range(10):
            assert sender.send(engine.otlp)
        acknowledged = sender.intake(done=True)
        for port, namespace in NAMES.items():
            def shown():
                samples = read(engine.url(port))
                delta = sum(value for (name, _), value in samples.items() if name == f"{namespace}_peers_delta_total")
                whole = sum(value for (name, _), value in samples.items() if name == f"{namespace}_peers_whole_total")
                return (delta, whole) == (acknowledged, sum(sender.totals.values()))
            poll(f"{port}: all that was acknowledged", shown)
        engine.drain()


@pytest.mark.parametrize("damage", ["cut", "changed", "alien"])
def test_a_damaged_state_is_told_and_set_aside(tmp_path, damage):
    state = tmp_path / "state"
    engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
    assert Sender("h", range(5), 1).send(engine.otlp)
    engine.drain()
    bytes_ = bytearray(state.read_bytes())
    if damage == "cut":
        bytes_ = bytes_[:-20]
    elif damage == "changed":
        bytes_[len(bytes_) // 2] ^= 4
    else:
        bytes_ = bytearray(b"something else altogether")
    state.write_bytes(bytes_)
    engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
    outcome = "alien" if damage == "alien" else "damaged"
    assert metric(engine, "phoenix_state_restores_total", outcome=outcome) == 1
    assert "counters begin anew" in engine.log
    assert (tmp_path / "state.damaged").read_bytes() == bytes(bytes_)
    assert fetch(f"{engine.url('FULL_PORT')}/metrics")[0] == 200
    engine.drain()


def test_a_full_disk_is_told_and_nothing_else_suffers(tmp_path, monkeypatch):
    # What Python ignores stays ignored: a file that grows too large is an error then, as on a full disk, and no signal.
    monkeypatch.setattr(subprocess, "Popen", functools.partial(subprocess.Popen, restore_signals=False))
    state = tmp_path / "state"
    engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})

    def saves(outcome):
        return metric(engine, "phoenix_state_saves_total", outcome=outcome)

    sender = Sender("h", range(300), 1)
    assert sender.send(engine.otlp)
    poll("a large state", lambda: metric(engine, "phoenix_state_bytes") > 100_000)
    pid, limits = engine.process.pid, resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE)
    before = saves("failure")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (100_000, limits[1]))
    poll("failures", lambda: saves("failure") > before + 2)
    kept = state.read_bytes()
    assert sender.send(engine.otlp)
    assert "the state was not written" in engine.log and "File too large" in engine.log
    poll("no room taken", lambda: not (tmp_path / "state.new").exists())
    assert state.read_bytes() == kept
    resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    before = saves("success")
    poll("a state again", lambda: saves("success") > before)
    engine.drain()
    engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
    assert metric(engine, "phoenix_state_restores_total", outcome="restored") == 1
    watcher = Watcher()
    watcher.scrape(engine)
    assert watcher.total("OPTIMIZED_PORT", "peers_whole_total") == sum(sender.totals.values())
    engine.drain()


def test_what_the_end_could_not_write_is_told(tmp_path, monkeypatch):
    # As on a full disk, too.
    monkeypatch.setattr(subprocess, "Popen", functools.partial(subprocess.Popen, restore_signals=False))
    state = tmp_path / "state"
    engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
    assert Sender("h", range(300), 1).send(engine.otlp)
    poll("a large state", lambda: metric(engine, "phoenix_state_bytes") > 100_000)
    pid, limits = engine.process.pid, resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (100_000, limits[1]))
    ended_with_a_loss(engine)
    last = engine.log[engine.log.index("the process ends, and the state was not written"):]
    assert "increments that came since the last writing are lost" in last and "File too large" in last
    assert re.search(r"written=20\d\d-", last) and "it is tried again" not in last
    engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
    assert metric(engine, "phoenix_state_restores_total", outcome="restored") == 1
    assert metric(engine, "phoenix_state_gap_seconds") > 0
    engine.drain()


def ended_with_a_loss(engine: Engine):
    engine.terminate()
    assert engine.process.wait(30) == 3, engine.log
    engine.kill()


# Written at the start, a second later, and at the end.
SELDOM = "state.interval=1h"


def test_a_kill_before_the_first_writing_is_told(tmp_path):
    env, sender = {"STATE_PATH": str(tmp_path / "state")}, Sender("h", range(5), 1)
    engine = Engine("restart", tmp_path, env=env, sets=[SELDOM])
    assert sender.send(engine.otlp)
    engine.drain()
    engine = Engine("restart", tmp_path, env=env, sets=[SELDOM])
    assert metric(engine, "phoenix_state_gap_seconds") == 0
    assert sender.send(engine.otlp)
    engine.kill()
    engine = Engine("restart", tmp_path, env=env, sets=[SELDOM])
    assert metric(engine, "phoenix_state_gap_seconds") > 0
    assert "did not end in order" in engine.log
    engine.drain()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to another user")
def test_a_state_of_another_user_is_told_and_left_until_it_is_given(tmp_path):
    state, nobody = tmp_path / "state", 65534
    engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
    assert Sender("h", range(5), 1).send(engine.otlp)
    engine.drain()
    kept = state.read_bytes()
    (tmp_path / "state.lock").unlink()
    # In a directory like /tmp.
    for path in [tmp_path, *tmp_path.glob("state*")]:
        os.chown(path, nobody, nobody)
    tmp_path.chmod(0o1777)
    engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})

    def saves(outcome):
        return metric(engine, "phoenix_state_saves_total", outcome=outcome)

    assert metric(engine, "phoenix_state_restores_total", outcome="damaged") == 1
    poll("failures", lambda: saves("failure") > 2)
    assert "it could not be set aside" in engine.log and "was set aside under" not in engine.log
    assert f"it belongs to user {nobody}, and this process runs as user 0" in engine.log
    assert state.read_bytes() == kept
    for path in tmp_path.glob("state*"):
        os.chown(path, 0, 0)
    poll("a state again", lambda: saves("success") > 0)
    assert "was set aside under" in engine.log
    assert (tmp_path / "state.damaged").read_bytes() == kept
    engine.drain()


def test_a_place_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="missing/state.lock.*No such file or directory; make its directory"):
        Engine("restart", tmp_path, env={"STATE_PATH": str(tmp_path / "missing" / "state")})


def test_a_reload_that_changes_the_state_is_refused_with_the_place(tmp_path):
    graph = tmp_path / "graph.yaml"
    text = (HERE / "graphs" / "restart.yaml").read_text()
    graph.write_text(text)
    engine = Engine(graph, tmp_path, env={"STATE_PATH": str(tmp_path / "state")})
    graph.write_text(text.replace("interval: 100ms", "interval: 200ms"))
    engine.process.send_signal(signal.SIGHUP)
    poll("the refusal", lambda: "`state` cannot change while the engine runs" in engine.log)
    assert "graph.yaml:7:" in engine.log, engine.log
    engine.drain()


def test_nodes_that_are_renamed_leave_no_journals(tmp_path):
    graph = tmp_path / "graph.yaml"
    text = (HERE / "graphs" / "restart.yaml").read_text()
    graph.write_text(text)
    engine = Engine(graph, tmp_path, env={"STATE_PATH": str(tmp_path / "state")})
    for round in range(3):
        name = f"full_endpoint_{round}"
        graph.write_text(text.replace("full_endpoint", name))
        engine.process.send_signal(signal.SIGHUP)

        def journals() -> set[str]:
            return {path.name.split(".")[1] for path in tmp_path.glob("state.*.[0-7]")}

        def is_clean() -> bool:
            found = {one for one in journals() if one.startswith("full_endpoint")}
            return found == {name}

        poll("only its journals are there", is_clean)

    def are_closed() -> bool:
        files = [os.readlink(one) for one in pathlib.Path(f"/proc/{engine.process.pid}/fd").iterdir()]
        return not [one for one in files if "full_endpoint" in one and name not in one]

    poll("the others are closed", are_closed)
    engine.drain()


def test_two_processes_do_not_share_a_state(tmp_path):
    state = tmp_path / "state"
    engine = Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
    with pytest.raises(RuntimeError, match="another process keeps its state"):
        Engine("restart", tmp_path, env={"STATE_PATH": str(state)})
    engine.drain()


def test_a_directory_that_was_made_anew_is_not_shared_either(tmp_path):
    directory = tmp_path / "states"
    directory.mkdir()
    env = {"STATE_PATH": str(directory / "state")}
    engine = Engine("restart", tmp_path, env=env)
    directory.rename(tmp_path / "gone")
    directory.mkdir()
    poll("a state again", (directory / "state").exists)
    with pytest.raises(RuntimeError, match="another process keeps its state"):
        Engine("restart", tmp_path, env=env)
    engine.drain()


def test_a_process_that_lost_its_lock_leaves_the_state_to_the_other(tmp_path):
    env = {"STATE_PATH": str(tmp_path / "state")}
    first = Engine("restart", tmp_path, env=env, sets=[SELDOM])
    poll("what it writes at first", lambda: metric(first, "phoenix_state_saves_total", outcome="success") >= 2)
    (tmp_path / "state.lock").unlink()
    second = Engine("restart", tmp_path, env=env, sets=[SELDOM])
    assert Sender("h", range(5), 1).send(second.otlp)
    ended_with_a_loss(first)
    assert "state.lock` was removed while this process ran, and another process keeps its state in" in first.log
    second.drain()
    third = Engine("restart", tmp_path, env=env)
    assert metric(third, "phoenix_state_restores_total", outcome="restored") == 1
    assert metric(third, "phoenix_state_gap_seconds") == 0
    third.drain()


def test_a_link_to_the_state_stays(tmp_path):
    link, large = tmp_path / "state", tmp_path / "large"
    large.mkdir()
    link.symlink_to("large/state")
    for round in range(2):
        engine = Engine("restart", tmp_path, env={"STATE_PATH": str(link)})
        outcome = "restored" if round else "absent"
        assert metric(engine, "phoenix_state_restores_total", outcome=outcome) == 1
        engine.drain()
    assert link.is_symlink() and (large / "state").is_file()
    assert not list(tmp_path.glob("state.*"))
