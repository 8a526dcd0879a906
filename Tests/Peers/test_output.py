"""Logs and answers that nobody takes: the program goes on where it must, and says so where it cannot."""

import os
import signal
import subprocess

import pytest

from engine import ROOT, binary, fetch, poll
from exposition import read
from lease import Lease
from test_backpressure import Stuck

GOLDEN = sorted((ROOT / "graphs" / "golden").iterdir())[0]
EXAMPLE = ROOT / "graphs" / "examples" / "filter.yaml"
COMMANDS = {
    "schema": ["schema"],
    "nodes": ["nodes"],
    "node": ["nodes", "otlp"],
    "graph": ["graph", EXAMPLE],
    "validate": ["validate", EXAMPLE],
    "validate-json": ["validate", "--format", "json", EXAMPLE],
    "plan": ["plan", EXAMPLE, "--against", EXAMPLE],
    "test": ["test", GOLDEN],
}


def phoenix(*arguments, **options) -> subprocess.CompletedProcess:
    command = [str(binary()), *map(str, arguments)]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60, **options)


@pytest.fixture
def full_pipe():
    """The end of a pipe that takes nothing more, for nobody reads it."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for size in (1 << 12, 1):
        while True:
            try:
                os.write(writing, b"x" * size)
            except BlockingIOError:
                break
    os.set_blocking(writing, True)
    yield writing
    os.close(writing)
    os.close(reading)


# ---- the log of a running engine


def test_a_log_that_nobody_reads_stops_nothing(engines, full_pipe):
    engine = engines("unread", stderr=full_pipe)
    dropped = lambda: read(engine.url("ENGINE_PORT")).get(("phoenix_log_lines_dropped_total", ()), 0)
    poll("lines are dropped", lambda: dropped() > 0, deadline=60)
    assert fetch(f"{engine.url('ENGINE_PORT')}/health")[0] == 200
    assert fetch(f"{engine.url('CONTROL_PORT')}/api/v1/status")[0] == 200
    engine.drain(within=20)


def test_once_the_log_is_read_it_says_what_was_dropped(engines):
    reading, writing = os.pipe()
    engine = engines("unread", stderr=writing)
    os.close(writing)
    dropped = lambda: read(engine.url("ENGINE_PORT"))[("phoenix_log_lines_dropped_total", ())]
    poll("lines are dropped", lambda: dropped() > 0, deadline=60)
    engine.terminate()
    text = b""
    while chunk := os.read(reading, 1 << 16):
        text += chunk
    os.close(reading)
    assert b"log lines were dropped" in text
    engine.drain(within=20)


def test_a_log_that_cannot_be_written_stops_nothing(engines):
    with open("/dev/full", "wb") as full:
        engine = engines("logging", stdout=full, stderr=full)
    poll("a line is dropped", lambda: read(engine.url("ENGINE_PORT"))[("phoenix_log_lines_dropped_total", ())] > 0)
    engine.drain()


# ---- signals


def test_two_copies_of_one_signal_drain(engines, tmp_path):
    stuck = Stuck(engines, tmp_path)
    # Two of the same might be one to the kernel.
    stuck.engine.process.send_signal(signal.SIGTERM)
    stuck.engine.process.send_signal(signal.SIGINT)
    stuck.engine.is_told = True
    poll("it drains", lambda: "draining" in stuck.engine.log)
    stuck.release()
    stuck.engine.drain()
    assert "second signal" not in stuck.engine.log


def test_a_later_second_signal_ends_at_once(engines, tmp_path):
    stuck = Stuck(engines, tmp_path)
    ended_by_signals(stuck.engine)
    assert "second signal: ended without draining" in stuck.engine.log
    stuck.release()


def test_a_later_second_signal_ends_also_where_no_log_can_be_written(engines, tmp_path, full_pipe):
    stuck = Stuck(engines, tmp_path, stderr=full_pipe)
    ended_by_signals(stuck.engine)
    stuck.release()


def ended_by_signals(engine):
    """Sends one signal after the other until it has ended, which is before its drain could be cut off by time."""

    def told():
        engine.process.send_signal(signal.SIGTERM)
        return engine.process.poll() is not None

    poll("it ends", told, deadline=15, every=0.1)
    engine.log_file.close()
    assert engine.process.returncode == 3


def test_a_hang_up_while_the_graph_is_read_ends_nothing(tmp_path):
    graph = tmp_path / "graph.yaml"
    graph.write_text(EXAMPLE.read_text() + 'engine: {listen: ["127.0.0.1:0"]}\n')
    lease = Lease(graph)
    process = subprocess.Popen([str(binary()), "run", str(graph)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        poll("it opens the graph", lambda: lease.is_awaited)
        process.send_signal(signal.SIGHUP)
        lease.release()
        assert "runs `example-filter`" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        lease.release()
        process.kill()
        process.wait()
        process.stdout.close()


# ---- answers of commands


@pytest.mark.parametrize("name", COMMANDS)
def test_an_answer_that_does_not_fit_is_an_error(name):
    with open("/dev/full", "wb") as full:
        done = phoenix(*COMMANDS[name], stdout=full)
    assert done.returncode == 2, done
    assert done.stderr.startswith("cannot write to standard output: No space left on device; "), done


@pytest.mark.parametrize("name", COMMANDS)
def test_an_answer_to_a_closed_stream_is_an_error(name):
    done = phoenix(*COMMANDS[name], preexec_fn=lambda: os.close(1))
    assert done.returncode == 2, done
    assert done.stderr.startswith("cannot write to standard output: it is closed; "), done


@pytest.mark.parametrize("is_ignored", [False, True], ids=["sigpipe", "epipe"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_went_away_is_told_nothing(name, is_ignored):
    reading, writing = os.pipe()
    os.close(reading)
    # Python ignores SIGPIPE, and what it starts inherits that.
    done = phoenix(*COMMANDS[name], stdout=writing, restore_signals=not is_ignored)
    os.close(writing)
    assert done.returncode == (141 if is_ignored else -signal.SIGPIPE), done
    assert done.stderr == "", done


def test_pages_that_cannot_be_written_are_told_in_words():
    done = phoenix("reference", "/proc/pages", stdout=subprocess.DEVNULL)
    assert done.returncode == 2, done
    assert done.stderr.startswith("cannot write /proc/pages: No such file or directory; name a directory"), done
