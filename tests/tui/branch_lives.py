"""A session with branches that always looks the same: a retry, forks, a restart, a failure."""

from __future__ import annotations

from flowdbg.core.entries import (
    BlockEdited,
    Body,
    Forked,
    ForkReason,
    InputsGiven,
    Outcome,
    OutputEdited,
    Stopped,
    StopReason,
    TurnEnded,
)
from flowdbg.core.events import StepCompleted, StepFailed, StepPaused, Tokens
from flowdbg.core.json_text import JsonText
from tests.tui.still_lives import EDITED, SAID, STEPS, begun, opened, received, steps

MORE = SAID * 9 + "She has been a customer for nine years. " + SAID * 3
LESS = SAID * 9 + "She has been a loyal customer for ten years. " + SAID * 3


def said(turn: int, index: int, output: JsonText) -> list[Body]:
    """A step that said something else than it usually does, and paused."""
    step = STEPS[index]
    completed = StepCompleted(step.id, output, step.name, 1200, Tokens(20, 40, 60))
    return [
        *begun(turn, index),
        received(turn, completed, "step_completed", '{"output":' + output.text + "}"),
        received(turn, StepPaused(step.id, index + 1), "step_paused"),
        TurnEnded(turn, Outcome.PAUSED, 1.2),
        Stopped(StopReason.STEP, "", STEPS[index + 1].id),
    ]


def failed(turn: int, index: int) -> list[Body]:
    """A step that failed."""
    step = STEPS[index]
    return [
        *begun(turn, index),
        received(turn, StepFailed(step.id, {"message": "the model refused"}), "step_error"),
        TurnEnded(turn, Outcome.FAILED, 0.4),
        Stopped(StopReason.ERROR, "the model refused", step.id),
    ]


BRANCHES: list[Body] = [
    *opened(),
    *steps(5),
    *said(6, 5, JsonText.of({"text": MORE, "tone": "kind", "words": 190})),
    BlockEdited("draft", {"prompt": JsonText('"Write a short reply"')}),
    Forked(1, 0, 5, ForkReason.RETRY, False),
    *said(7, 5, JsonText.of({"text": LESS, "tone": "brief", "words": 191})),
    OutputEdited("fetch", JsonText(EDITED)),
    Forked(2, 0, 3, ForkReason.FORK, False),
    *said(8, 3, JsonText.of({"text": "complaint"})),
    *failed(9, 4),
    Forked(3, 1, 5, ForkReason.FORK, False),
    InputsGiven("Where is my parcel?", JsonText("{}")),
    Forked(4, 3, 0, ForkReason.RESTART, True),
    *said(10, 0, JsonText('{"message":"Where is my parcel?","urgent":true}')),
]
"""Five branches: the one that went furthest first, the one that was begun last in hand."""
