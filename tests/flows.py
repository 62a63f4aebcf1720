"""Small flows for tests, all on scripted models: the same words every time, no network."""

from __future__ import annotations

TWO_STEP = """\
flow: acme/demo/two-step
name: Two steps
inputs:
  message: {type: string}
scripts:
  writer:
    replies:
      - chunks: ["Dear ", "reader, ", "hello."]
        usage: {prompt: 7, completion: 3, cost: "0.000150"}
      - match: "LOUD"
        chunks: ["DEAR ", "READER."]
        usage: {prompt: 8, completion: 2, cost: "0.000200"}
steps:
  - {id: draft, name: Draft, kind: llm, model: scripted/writer, prompt: "Write to {{ message }}"}
  - {id: count, name: Count, kind: code, code: "return {'text': text, 'length': len(text)}"}
"""
"""An `llm` step and a `code` step that reads its text."""

THREE_STEP = """\
flow: acme/demo/three-step
inputs:
  message: {type: string}
  tone: {type: string, default: kind}
steps:
  - id: first
    kind: code
    code: "return {'text': initial['message'] + '/' + initial['tone']}"
  - id: second
    kind: code
    code: "return {'text': text + '!', 'tone': initial['tone']}"
  - id: third
    kind: code
    code: "return {'said': initial['message'], 'before': text}"
"""
"""Three `code` steps; all of them read `initial`."""

LOOP = """\
flow: acme/demo/loop
inputs:
  message: {type: string}
  words: {type: array, default: [a, b, c]}
steps:
  - id: each
    name: Each word
    kind: loop
    array_field: initial.words
    steps:
      - {id: shout, name: Shout, kind: code, code: "return {'loud': item.upper()}"}
  - {id: after, kind: code, code: "return {'count': len(items)}"}
"""
"""A loop of one block, and a step that reads what it collected."""

PARALLEL = """\
flow: acme/demo/parallel
inputs:
  message: {type: string}
steps:
  - id: both
    kind: parallel
    steps:
      - {id: left, name: left, kind: code, code: "return {'side': 'left'}"}
      - {id: right, name: right, kind: code, code: "return {'side': 'right'}"}
"""
"""Two branches as the only step."""

FAILING = """\
flow: acme/demo/failing
inputs:
  message: {type: string}
scripts:
  broken:
    replies:
      - chunks: ["So far ", "so good"]
        fail: {message: "the model went away", code: MODEL_GONE, after_chunks: 1}
steps:
  - {id: fine, kind: passthrough}
  - {id: broken, name: Broken, kind: llm, model: scripted/broken, prompt: "Go on"}
  - {id: never, kind: passthrough}
"""
"""The second of three steps fails after one chunk."""

SLOW = """\
flow: acme/demo/slow
inputs:
  message: {type: string}
scripts:
  silent:
    replies:
      - chunks: ["a", "b"]
        delay: 60
steps:
  - {id: wait, kind: llm, model: scripted/silent, prompt: "Take your time"}
  - {id: never, kind: passthrough}
"""
"""A model that says one word and then nothing for a minute."""

ALL: tuple[str, ...] = (TWO_STEP, THREE_STEP, LOOP, PARALLEL, FAILING, SLOW)

TOOLS = """\
flow: acme/demo/tools
inputs:
  message: {type: string}
scripts:
  helper:
    replies:
      - match: "sunny"
        chunks: ["It is ", "sunny."]
        usage: {prompt: 9, completion: 2, cost: "0.000020"}
      - tool_calls: [{name: get_weather, arguments: {location: Oslo}}]
        usage: {prompt: 5, completion: 1, cost: "0.000010"}
steps:
  - {id: before, kind: passthrough}
  - id: ask
    name: Ask
    kind: llm
    model: scripted/helper
    prompt: "What is the weather? {{ message }}"
    processor_config: {tools_enabled: true}
  - {id: after, kind: code, code: "return {'said': text}"}
"""
"""The second of three steps asks for a tool, and answers when the result says `sunny`."""

ENDLESS_TOOLS = """\
flow: acme/demo/endless-tools
inputs:
  message: {type: string}
scripts:
  helper:
    replies:
      - tool_calls: [{name: again, arguments: {}}]
steps:
  - id: ask
    kind: llm
    model: scripted/helper
    prompt: "Go on"
    processor_config: {tools_enabled: true}
"""
"""A model that asks for a tool whatever it is told."""

TOOLS_IN_LOOP = """\
flow: acme/demo/tools-in-loop
inputs:
  message: {type: string}
  words: {type: array, default: [a]}
scripts:
  helper:
    replies:
      - text: done
steps:
  - {id: before, kind: passthrough}
  - id: each
    kind: loop
    array_field: initial.words
    steps:
      - id: ask
        kind: llm
        model: scripted/helper
        prompt: "Go on"
        processor_config: {tools_enabled: true}
"""
"""A block that takes tools, where it cannot pause."""

ALL = (*ALL, TOOLS, ENDLESS_TOOLS, TOOLS_IN_LOOP)
