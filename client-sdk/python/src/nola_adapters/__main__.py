"""The command `nola-adapters`; all other commands are Java's `nola`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from nola_adapters.errors import NolaError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="nola-adapters")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve-lora",
        help="load adapters of a registry into a running vLLM or SGLang",
        description="Loads adapters into an engine, follows their aliases, and unloads them at the "
        "end. $NOLA_REGISTRY and $NOLA_TOKEN name the registry; $NOLA_REQUIRE_VERIFIED says how "
        "many independent machines must attest an adapter, $NOLA_VERIFIED_KEYS by which keys; "
        "$NOLA_ENGINE_KEY is the engine's API key. The engine must see the cache's folder.",
    )
    serve.add_argument("references", nargs="*", metavar="REFERENCE", help="such as acme/mood@prod")
    serve.add_argument(
        "--engine", required=True, metavar="URL", help="such as http://127.0.0.1:8000"
    )
    serve.add_argument("--flavor", choices=("vllm", "sglang"), default="vllm")
    serve.add_argument(
        "--list",
        type=Path,
        metavar="FILE",
        help="more references, a line each; read again every time",
    )
    serve.add_argument("--interval", type=float, default=30, metavar="SECONDS")
    serve.add_argument("--once", action="store_true", help="load and exit, leaving them loaded")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        return serve_lora(options)
    except (NolaError, ValueError, OSError) as error:
        print(f"nola-adapters: {error}", file=sys.stderr)
        return 1


def serve_lora(options: argparse.Namespace) -> int:
    """Run `serve-lora`; return 1 if `--once` could not load everything."""
    from nola_adapters.serving import LoraStore
    from nola_adapters.sidecar import Sidecar, engine_of_environment

    sidecar = Sidecar(engine_of_environment(options.engine, options.flavor), LoraStore())

    def wanted() -> list[str]:
        lines = [] if options.list is None else options.list.read_text().splitlines()
        return [*options.references, *(line.strip() for line in lines if line.strip())]

    if options.once:
        failures = sidecar.sync(wanted())
        for failure in failures:
            print(f"nola-adapters: {failure}", file=sys.stderr)
        return 1 if failures else 0
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    sidecar.run(wanted, options.interval, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
