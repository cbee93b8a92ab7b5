"""schemathesis over our own description of the API: no input makes the server fail, and every answer is one that the description tells of."""

import os
import pathlib
import subprocess
import sys

import pytest

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method"
# In the long form (`make soak`) many more, and each value of each field at its edges.
SOAK = "SOAK" in os.environ
EXAMPLES, PHASES = ("100", "coverage,fuzzing") if SOAK else ("3", "fuzzing")
# End the session that all others need, try passwords, each for a tenth of a second, or never end.
EXCLUDED = ["/auth/logout", "/users/{id}", "/auth/login", "/auth/token", "/queue_status/stream"]


@pytest.fixture
def names(service, tmp_path):
    """schemathesis's settings, with names of what there is: made-up ones seldom get further than 404."""
    application = service.make_application()
    queue = service.make_queue(application)
    place = queue.join("v")
    admin_key = service.call("POST", "/api/schema/queues", {"queue_id": "line", "name": "Line"})["admin_key"]
    person = service.call("POST", "/api/schema/line/join", {"name": "Alex"})["entry"]["id"]
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(f"""
[parameters]
"path.tenant" = "schema"
"path.queue" = "line"
"path.user" = "{person}"
"query.token" = ["{place['token']}", "x"]

[[operations]]
include-path-regex = "^/queues/|^/admin/queues/"
parameters = {{ "path.id" = "{queue.id}" }}

[[operations]]
include-path-regex = "^/applications/"
parameters = {{ "path.id" = "{application['id']}" }}

[[operations]]
include-path-regex = "^/(admin/people|queue_users)/"
parameters = {{ "path.id" = "{place['id']}" }}
""")
    return settings, application, admin_key


def test_no_input_fails_and_every_answer_is_as_described(service, names, tmp_path):
    settings, application, admin_key = names
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "--config-file", str(settings), "run", f"{service.address}/openapi.json",
        "--checks", CHECKS, "--max-examples", EXAMPLES, "--seed", "1", "--generation-database", "none", "--phases", PHASES,
        "--no-color", "--mode", "all", "--max-failures", "20", "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off",
        "-H", f"Authorization: Bearer {service.token}", "-H", f"X-API-Key: {application['api_key']}", "-H", f"X-Admin-Key: {admin_key}",
        *(word for path in EXCLUDED for word in ("--exclude-path", path)), "--exclude-method", "DELETE",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=3000 if SOAK else 300)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout or "No issues found" in done.stdout, done.stdout[-2000:]
