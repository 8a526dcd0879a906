"""Files that do not answer, as on a network mount whose server is gone: no point waits for them, and no drain."""

import os

import pytest

from engine import fetch, poll
from lease import Lease
from otlp import one_point
from wire import export

CONTROL = "optimization_profile: {}\nconfig_version: {}\n"


def chain(length: int) -> str:
    """A graph in which every point passes through `length` nodes, each of which follows a control file of its own."""
    receivers = "\n".join(f'  r{n}: {{type: mode_file, path: "${{env:FILES}}/{n}.yaml", poll: 50ms}}' for n in range(length))
    steps = "\n".join(f"  a{n}: {{type: aggregate, from: {f'a{n - 1}' if n else 'otlp'}, mode: r{n}, drop: [process.pid]}}" for n in range(length))
    return f"""graph: peers-files
version: 1
engine: {{listen: ["127.0.0.1:${{env:ENGINE_PORT}}"], drain_timeout: 10s}}
receivers:
  otlp: {{listen: ["127.0.0.1:${{env:OTLP_PORT}}"], max_wait: 1s}}
{receivers}
processors:
{steps}
exporters:
  debug: {{from: a{length - 1}, verbosity: detailed, sampling_initial: 1000000}}
"""


class Chain:
    """An engine that follows more control files than there are threads of the pool."""

    def __init__(self, engines, directory):
        self.directory = directory
        self.paths = [directory / f"{number}.yaml" for number in range((os.cpu_count() or 1) + 2)]
        for path in self.paths:
            path.write_text(CONTROL.format("balanced", 1))
        graph = directory / "graph.yaml"
        graph.write_text(chain(len(self.paths)))
        self.engine = engines(graph, env={"FILES": str(directory)})
        poll("all files are read", lambda: self.engine.log.count("control file applied") == len(self.paths))

    def put(self, path, made):
        """Puts what is at `made` in the place of a control file at once."""
        os.rename(made, path)

    def still_takes(self):
        for _ in range(20):
            assert export(self.engine.otlp, one_point().bytes).status == 200
        assert fetch(f"{self.engine.url('ENGINE_PORT')}/ready")[0] == 200


@pytest.fixture
def followed(engines, tmp_path):
    return Chain(engines, tmp_path)


def test_files_that_do_not_answer_hold_up_no_point_and_no_drain(followed):
    leases = []
    try:
        for path in followed.paths:
            made = path.with_suffix(".new")
            made.write_text(CONTROL.format("aggressive", 2))
            leases.append(Lease(made))
            followed.put(path, made)
        poll("every file is waited for", lambda: all(lease.is_awaited for lease in leases))
        followed.still_takes()
        silent = "a file does not answer: the node goes on without it"
        poll("the log says which", lambda: followed.engine.log.count(silent) == len(followed.paths))
        followed.still_takes()
        followed.engine.drain(within=10)
    finally:
        # The last first: each puts back what the one before it found.
        for lease in reversed(leases):
            lease.release()


def test_a_file_that_answers_again_is_followed_again(followed):
    made = followed.directory / "made"
    made.write_text(CONTROL.format("aggressive", 2))
    lease = Lease(made)
    try:
        followed.put(followed.paths[0], made)
        poll("the log says so", lambda: "a file does not answer" in followed.engine.log)
    finally:
        lease.release()
    poll("it is followed", lambda: "the file answers again" in followed.engine.log and "mode=aggressive" in followed.engine.log)


def test_pipes_in_place_of_files_are_refused_and_hold_up_nothing(followed):
    for path in followed.paths:
        made = path.with_suffix(".pipe")
        os.mkfifo(made)
        followed.put(path, made)
    poll("all are refused", lambda: followed.engine.log.count("it is a pipe, where a regular file is meant") == len(followed.paths))
    followed.still_takes()
    followed.engine.drain(within=10)
