"""The limits of the settings hold for the server that is stepped."""

from __future__ import annotations

from flowdbg.config import paths
from tests.cli.program import run
from tests.faults.scenarios import BEGUN, GOOD, PAUSED
from tests.faults.server import HANG, FaultServer, Script, chunk, sse

FLOW = "o/p/f"
MEBIBYTE = 1024 * 1024


def step_against(script: Script, limits: str) -> tuple[int, str]:
    """One run of the program against a script, with these limits; its code and its words."""
    file = paths.config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"[limits]\n{limits}\n")
    fault = FaultServer(script)
    with fault.in_thread():
        ended = run("run", FLOW, "--url", f"{fault.url}/api/v1", "-m", "hi")
    assert fault.posts == 1
    return ended.code, ended.err + ended.out


def test_a_server_that_is_silent_passes_the_idle_limit() -> None:
    code, said = step_against([*BEGUN, HANG], "idle = 3")
    assert code != 0
    assert "sent nothing for 3 seconds" in said
    assert "Whether the step ran is not known" in said


def test_a_server_without_news_passes_the_progress_limit() -> None:
    code, said = step_against([*BEGUN, HANG], "progress = 3")
    assert code != 0
    assert "sent no event for 3 seconds" in said


def test_an_event_may_be_as_large_as_the_settings_say() -> None:
    large = sse("step_output", {"stepId": "one", "outputData": "y" * (2 * MEBIBYTE)})
    script: Script = [*BEGUN, chunk(large), chunk(PAUSED), *GOOD[-1:]]
    code, said = step_against(script, "event_mib = 1")
    assert code != 0
    assert f"larger than {MEBIBYTE} bytes" in said
    assert "limits.event_mib" in said
