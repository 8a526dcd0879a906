"""The contracts of the control API, and requests that break none of them unless told to."""

import http.client
import json
import pathlib

import jsonschema
import yaml

CONTRACTS = pathlib.Path(__file__).resolve().parent.parent.parent / "contracts"
OPENAPI = CONTRACTS / "openapi" / "control.yaml"
DOCUMENT = yaml.safe_load(OPENAPI.read_text())
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def ask(engine, method: str, path: str, body=None, headers: dict[str, str] | None = None) -> Answer:
    """One request; a body that is no bytes is sent as JSON. Whatever the document says of the path must hold."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection("127.0.0.1", engine.port("CONTROL_PORT"), timeout=15)
    try:
        connection.request(method, path, body, headers)
        got = connection.getresponse()
        answer = Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
    finally:
        connection.close()
    conforms(method, path.split("?")[0], answer)
    return answer


def resolved(node: dict) -> dict:
    if "$ref" not in node:
        return node
    found = DOCUMENT
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def conforms(method: str, path: str, answer: Answer):
    """Holds an answer to the document: its status, its type, its body."""
    operation = DOCUMENT["paths"].get(path, {}).get(method.lower())
    if operation is None:
        return
    assert str(answer.status) in operation["responses"], f"{method} {path}: {answer} is not documented"
    response = resolved(operation["responses"][str(answer.status)])
    media_type = answer.headers["content-type"].split(";")[0]
    assert media_type in response["content"], f"{method} {path}: {media_type} is not documented"
    if media_type == "application/json":
        schema = response["content"][media_type]["schema"] | {"components": DOCUMENT["components"]}
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(answer.json)]
        assert not errors, f"{method} {path}: {errors}"
    for name in response.get("headers", {}):
        assert name.lower() in answer.headers, f"{method} {path}: {name} is missing"


def operations() -> list[tuple[str, str]]:
    return [(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item if method in METHODS]
