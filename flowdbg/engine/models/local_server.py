"""The process of the offline model; started as `python -m flowdbg.engine.models.local_server`.

It reads one JSON line with its settings, loads the model, writes one JSON line with its address
(or an error), and serves until standard input ends. A process of its own keeps the library's
native output off the terminal and its crashes and threads away from the server.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

_THREADS = max(1, min(4, (os.cpu_count() or 2) // 2))
_NICE = 5


def main() -> None:
    """Serve one model on a loopback port."""
    settings: dict[str, Any] = json.loads(sys.stdin.readline())
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # The library prints from native code: both standard streams go nowhere.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    if hasattr(os, "nice"):
        # Generation takes all the time it gets; the server's own work goes first.
        os.nice(_NICE)
    try:
        server = _started(settings)
    except (ImportError, RuntimeError, OSError, ValueError) as error:
        _say(answer, {"error": str(error) or type(error).__name__})
        return
    _say(answer, {"address": server.listening_address})
    sys.stdin.read()
    # The library's own shutdown may wait for running slots; nothing is worth waiting for.
    os._exit(0)


def _started(settings: dict[str, Any]) -> Any:
    import xllamacpp  # noqa: PLC0415  # heavy, and absent without the `local` extra

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.n_ctx = settings["context"]
    params.n_parallel = settings["parallel"]
    # With one shared context, what runs beside a request changes its rounding and so its words.
    params.kv_unified = False
    params.cpuparams.n_threads = _THREADS
    params.cpuparams_batch.n_threads = _THREADS
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["key"]]
    params.verbosity = -1
    params.warmup = False
    params.ui = False
    # A prompt that was cached in part gives other rounding, and so other words, than a fresh one.
    params.cache_prompt = False
    params.cache_ram_mib = 0
    return xllamacpp.Server(params)


def _say(answer: Any, message: dict[str, Any]) -> None:
    answer.write(json.dumps(message) + "\n")
    answer.flush()


if __name__ == "__main__":
    main()
