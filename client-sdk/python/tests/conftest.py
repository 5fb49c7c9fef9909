from __future__ import annotations

import os
import re
import subprocess
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
    """The command of a JDK that can run the jar."""
    home = os.environ.get("JAVA_HOME")
    command = str(Path(home) / "bin" / "java") if home else "java"
    try:
        asked = subprocess.run([command, "-version"], check=True, capture_output=True, text=True)
    except OSError:
        pytest.skip(f"{command} cannot be run; set JAVA_HOME")
    version = re.search(r'version "(\d+)', asked.stderr)
    if version is None or int(version[1]) < 25:
        pytest.skip(f"{command} is not Java 25; set JAVA_HOME")
    return command
