"""Requests made from the OpenAPI description, right and wrong ones: never a 5xx, never an answer that it does not list.

NEXTVEC_FUZZ sets the number of examples an operation and kind, for a long run by hand.
"""

import contextlib
import os

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

EXAMPLES = int(os.environ.get("NEXTVEC_FUZZ", "5"))
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


def test_no_request_breaks_the_server(launch, workspace) -> None:
    asked = 0

    def fuzz(operation, mode) -> None:
        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        def ask(case) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(checks=CHECKS)

        with contextlib.suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
            ask()

    with launch(workspace, "--port", 0) as server:
        schema = schemathesis.openapi.from_url(f"{server.urls[0]}/openapi.json")
        for operation in schema.get_all_operations():
            for mode in GenerationMode:
                fuzz(operation.ok(), mode)
        assert "Traceback" not in server.log()
    print(f"{asked} requests")  # noqa: T201  for whoever runs it by hand
