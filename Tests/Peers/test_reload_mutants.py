"""Graph files with slips in them, pushed at a program that works: each is refused with its places, and nobody else notices.

`PHOENIX_MUTANTS` says how many, `PHOENIX_MUTANTS_SEED` repeats a run.
"""

import http.client
import json
import os
import random
import re

import pytest

from engine import HERE, poll
from load import Load
from test_reload import Instance
from test_reload_load import ENDPOINTS, arrived

MUTANTS = int(os.environ.get("PHOENIX_MUTANTS", "1000"))
SEED = int(os.environ.get("PHOENIX_MUTANTS_SEED", random.randrange(1 << 32)))
TEXT = (HERE / "graphs" / "reload_load.yaml").read_text()
BYTES = [bytes([one]) for one in b" \n\t:-[]{},&*#?|>%@`\"'!$~<=.0aZ_\\\0\x07\x80\xff"] + ["é".encode(), "\u2028".encode(), "🙂".encode()]
WORDS = [b"otlp", b"optimized", b"prometheus", b"aggregate", b"from", b"type", b"listen", b"null", b"-1", b"99999999999999999999", b"${env:NOWHERE}", b"&a *a", b"[[[[", b"<<: "]


def mutant(dice: random.Random) -> bytes:
    text = bytearray(TEXT.encode())
    for _ in range(dice.randint(1, 3)):
        text = text or bytearray(b"\n")
        place = dice.randrange(len(text))
        match dice.randrange(7):
            case 0:
                text[place : place + 1] = dice.choice(BYTES)
            case 1:
                text[place:place] = dice.choice(BYTES)
            case 2:
                del text[place : place + dice.randint(1, 8)]
            case 3:
                there = dice.randrange(len(text))
                text[there:there] = text[place : place + dice.randint(1, 60)]
            case 4:
                text[place:place] = dice.choice(WORDS)
            case 5:
                lines = text.splitlines(keepends=True)
                at = dice.randrange(len(lines))
                lines[at:at] = [lines.pop(dice.randrange(len(lines)))] * dice.randint(0, 2)
                text = bytearray(b"".join(lines))
            case _:
                del text[place:]
    # Never nothing at all: without a body the file is read anew.
    return bytes(text) or b"\n"


def misplaced(diagnostic: dict, lines: list[str]) -> bool:
    line, column = diagnostic["line"], diagnostic["column"]
    if not (diagnostic["message"] and diagnostic["file"].endswith("reload_load.yaml") and 1 <= line <= len(lines)):
        return True
    return not 1 <= column <= len(lines[line - 1]) + 1


class Pusher:
    def __init__(self, instance: Instance):
        self.connection = http.client.HTTPConnection(instance.address, timeout=60)

    def push(self, body: bytes, query="") -> tuple[int, dict]:
        self.connection.request("PUT", f"/api/v1/graph{query}", body=body)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.mark.timeout(120 + MUTANTS // 5)
def test_graphs_with_slips_are_refused_with_their_places_and_noticed_by_nobody(engines):
    print(f"\nPHOENIX_MUTANTS={MUTANTS} PHOENIX_MUTANTS_SEED={SEED}")
    engine, dice = engines("reload_load", log_level="error"), random.Random(SEED)
    instance = Instance(engine, None)
    load, pusher = Load(engine, ENDPOINTS, hosts=4, every=0.2, pause=0.05), Pusher(instance)
    generation = instance.status["generation"]
    refused = unchanged = others = 0
    for number in range(MUTANTS):
        body = mutant(dice)
        status, answer = pusher.push(body, "?dry_run=true")
        assert status in (200, 422), (number, status, answer, body)
        if status == 422:
            refused += 1
            status, answer = pusher.push(body)
            assert status == 422, (number, status, answer, body)
            # As editors count lines, or as YAML does, which knows breaks that most editors do not show.
            text = body.decode(errors="replace")
            lines, breaks = text.split("\n"), re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
            wrong = [one for one in answer["diagnostics"] if misplaced(one, lines) and misplaced(one, breaks)]
            assert answer["diagnostics"] and not wrong, (number, wrong, body)
        elif answer["plan"]["changes"]:
            # A graph all the same, and not the one that is under load.
            others += 1
        else:
            unchanged += 1
            assert pusher.push(body)[0] == 200, (number, body)
    assert instance.status["generation"] == generation
    poll("all refusals are counted", lambda: instance.counted("refused") == refused)
    sent, scraped = load.finish(arrived(engine))
    print(f"{refused} refused, {unchanged} changed nothing, {others} were other graphs; {sum(len(one.requests) for one in sent)} requests, {sum(one.scrapes for one in scraped)} scrapes beside them")
    assert refused > MUTANTS // 2
    assert [one.failures for one in sent] == [[]] * 4
    assert [one.failures for one in scraped] == [[]] * 3
