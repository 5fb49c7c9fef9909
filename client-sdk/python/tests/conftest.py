from __future__ import annotations

import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def nola_jar() -> Path:
    """The command's jar, which the tests against Java need; NOLA_JAR names another one."""
    named = os.environ.get("NOLA_JAR")
    jar = Path(named) if named else ROOT / "client-sdk/cli/target/nola-cli.jar"
    if not jar.is_file():
        if named:
            pytest.fail(f"NOLA_JAR does not exist: {jar}")
        pytest.skip(f"{jar} is not built; ./nola builds it")
    return jar


@pytest.fixture(scope="session")
def java() -> str:
    """The command of a JDK that can run the jar: of JAVA_HOME, on the path or in Linux's folder."""
    home = os.environ.get("JAVA_HOME")
    installed = [str(path) for path in Path("/usr/lib/jvm").glob("*/bin/java")]
    for command in [*([f"{home}/bin/java"] if home else []), "java", *installed]:
        try:
            asked = subprocess.run([command, "-version"], capture_output=True, text=True)
        except OSError:
            continue
        version = re.search(r'version "(\d+)', asked.stderr)
        if version is not None and int(version[1]) >= 25:
            return command
    pytest.skip("Java 25 is not installed; set JAVA_HOME")


@pytest.fixture(scope="session")
def registry_server(
    tmp_path_factory: pytest.TempPathFactory, nola_jar: Path
) -> Iterator[tuple[str, str]]:
    """URL and admin's token of a registry of its own; NOLA names the launcher."""
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    launcher = os.environ.get("NOLA", str(ROOT / "nola"))
    command = [launcher, "serve", "--port", str(port), "--data", str(folder / "data")]
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("NOLA_")}
    environment = hidden | {"NOLA_NO_BUILD": "1"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        for _ in range(180):
            if server.poll() is not None:
                pytest.fail((folder / "log").read_text())
            try:
                urllib.request.urlopen(url + "/actuator/health/readiness").close()
                break
            except OSError:
                time.sleep(1)  # a start takes some seconds
        yield url, (folder / "data" / "admin-token").read_text().strip()
    finally:
        server.terminate()
        server.wait()
