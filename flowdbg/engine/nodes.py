"""The nodes of a flow's tree: blocks and the containers that hold them.

The models are frozen and refuse unknown fields. What a model cannot say (identifiers used twice,
a template that does not parse) is checked where a file is read, see `flowdbg.engine.checks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Effect = Literal["none", "read", "write"]
"""What a step does to the world outside: nothing, it reads, or it changes something."""

ADDRESS = r"^[a-z0-9][a-z0-9._-]{0,63}(/[a-z0-9][a-z0-9._-]{0,63}){2}$"
IDENTIFIER = r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"
FIELD_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
DATA_PATH = r"^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$"

Address = Annotated[str, Field(pattern=ADDRESS)]
"""`org/project/flow`, lower case."""

Identifier = Annotated[str, Field(pattern=IDENTIFIER)]
"""The stable name of a step inside its flow; safe in a URL path."""

FieldName = Annotated[str, Field(pattern=FIELD_NAME)]
"""The name of an input; a Python identifier, because code blocks get it as a parameter."""

DataPath = Annotated[str, Field(pattern=DATA_PATH)]
"""A dotted path to data a step can see: `letters`, `initial.message`, `outputs.draft.text`."""

Schema = dict[str, Any]
"""A JSON Schema."""

SMALL_MODEL = "smollm2-135m"
"""The small offline model, behind `local/`."""
DEFAULT_MODEL = f"local/{SMALL_MODEL}"
"""The model of an `llm` block that names none: small, offline, no key."""


class Model(BaseModel):
    """Frozen, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _id_as_name(fields: dict[str, Any]) -> str:
    """The id as the default of the name; empty when the id itself is wrong."""
    return str(fields.get("id", ""))


class NodeBase(Model):
    """What every node of the tree has."""

    id: Identifier
    """Stable identifier, unique in the flow; the key of the step's output."""
    name: str = Field(default_factory=_id_as_name, min_length=1, max_length=200)
    """What people read; the id when none is given."""
    when: str | None = Field(default=None, min_length=1, max_length=2000)
    """A Python expression; when it is false the step is skipped and its output is its input."""
    input: dict[FieldName, DataPath] | None = None
    """What the step reads instead of the previous output: field name to data path."""
    effect: Effect | None = None
    """Declared effect; None means the default of the kind (see `effect_of`)."""


class BlockBase(NodeBase):
    """What every block has: schemas, retries and a time-out."""

    input_schema: Schema | None = None
    """JSON Schema of what the block reads; checked before it runs."""
    output_schema: Schema | None = None
    """JSON Schema of the output; checked after it ran, and constrains an `llm` block."""
    retries: int = Field(default=0, ge=0, le=10)
    """How often a failed attempt is repeated."""
    timeout: float | None = Field(default=None, gt=0, le=3600)
    """Seconds for one attempt; None means the default of the kind."""


class ProcessorConfig(Model):
    """Switches of an `llm` block."""

    tools_enabled: bool = False
    """Whether the tools that come with a request are offered to the model."""
    chat: bool = False
    """Whether the earlier turns of `initial.messages` stand before the prompt."""


class LlmBlock(BlockBase):
    """A prompt for a language model; its output is `{"text": …}` or what the schema says."""

    kind: Literal["llm"]
    prompt: str = Field(min_length=1, max_length=100_000)
    """Template of the user message (Liquid; single braces work for known fields)."""
    system_prompt: str | None = Field(default=None, max_length=100_000)
    """Template of the system message."""
    model: str = Field(default=DEFAULT_MODEL, min_length=1, max_length=200)
    """Model id: `local/…`, `scripted/…`, or an id of a configured provider."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    """Sampling temperature; None leaves it to the provider."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Nucleus sampling; None leaves it to the provider."""
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    """Upper bound of generated tokens; None leaves it to the provider (local: 512)."""
    seed: int | None = Field(default=None, ge=0, le=2**32 - 1)
    """Sampling seed where the provider has one."""
    stop: tuple[str, ...] = Field(default=(), max_length=4)
    """Texts at which generation stops."""
    processor_config: ProcessorConfig = ProcessorConfig()
    """Switches."""


class CodeBlock(BlockBase):
    """The body of a Python function; it runs in a sandbox and returns an object."""

    kind: Literal["code"]
    code: str = Field(min_length=1, max_length=100_000)
    """Function body; parameters are `initial` and one per input field."""


class HttpBlock(BlockBase):
    """One HTTP request; its output is `{"status", "headers", "body"}` (a JSON body is parsed)."""

    kind: Literal["http"]
    url: str = Field(min_length=1, max_length=8000)
    """Template of the address; `http` or `https` only."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """Request method."""
    headers: dict[str, str] = Field(default_factory=dict, max_length=50)
    """Header name to template; `${NAME}` is not expanded, keys belong to the server's settings."""
    body: Any = None
    """A template (sent as text) or a JSON value whose strings are templates (sent as JSON)."""


class PassthroughBlock(BlockBase):
    """Hands its input on; with `input` it renames and collects."""

    kind: Literal["passthrough"]


class Container(NodeBase):
    """A node with nodes inside."""

    steps: tuple[Node, ...] = Field(min_length=1, max_length=1000)
    """The nodes inside, in order."""


class SequenceNode(Container):
    """Runs its steps in order; its output is the last one's."""

    kind: Literal["sequence"]


class ParallelNode(Container):
    """Runs its steps at the same time; its output is an object keyed by their names."""

    kind: Literal["parallel"]


class LoopNode(Container):
    """Runs its steps for every item of a list; its output is `{"items": [...]}`."""

    kind: Literal["loop"]
    array_field: DataPath
    """Data path of the list."""
    max_items: int = Field(default=1000, ge=1, le=100_000)
    """The loop refuses a longer list."""


Block = LlmBlock | CodeBlock | HttpBlock | PassthroughBlock
Node = Annotated[
    LlmBlock | CodeBlock | HttpBlock | PassthroughBlock | SequenceNode | ParallelNode | LoopNode,
    Field(discriminator="kind"),
]

BLOCK_KINDS = ("llm", "code", "http", "passthrough")
CONTAINER_KINDS = ("sequence", "parallel", "loop")

Container.model_rebuild()
SequenceNode.model_rebuild()
ParallelNode.model_rebuild()
LoopNode.model_rebuild()

_EFFECT_RANK: dict[Effect, int] = {"none": 0, "read": 1, "write": 2}


def effect_of(node: Node) -> Effect:
    """The declared effect, or the default: what a container holds; http by its method."""
    if node.effect is not None:
        return node.effect
    if isinstance(node, Container):
        return max((effect_of(child) for child in node.steps), key=_EFFECT_RANK.__getitem__)
    if isinstance(node, HttpBlock):
        return "read" if node.method in ("GET", "HEAD") else "write"
    return "none"


def walk(node: Node) -> Iterator[Node]:
    """The node and everything inside it, depth first."""
    yield node
    if isinstance(node, Container):
        for child in node.steps:
            yield from walk(child)
