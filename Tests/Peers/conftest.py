import pytest

from engine import Engine


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """Starts engines; at the end of the module every one must drain and exit with 0."""
    started: list[Engine] = []

    def start(graph, **options) -> Engine:
        started.append(Engine(graph, tmp_path_factory.mktemp("engine"), **options))
        return started[-1]

    yield start
    problems = []
    for engine in started:
        if engine.log_file.closed:
            continue
        try:
            engine.drain()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="module")
def intake(engines) -> Engine:
    """A receiver that takes requests up to 1 MiB, shared by the tests of a module."""
    return engines("intake")
