"""The flow that the screen's tests step through; `ADDRESS` stands for one of each test's own."""

from __future__ import annotations

FLOW = """\
flow: ADDRESS
inputs:
  message: {type: string, description: "What the customer wrote."}
  tone: {type: string, default: friendly, enum: [friendly, formal]}
scripts:
  talk:
    replies:
      - {match: "again", text: "The second version of the summary."}
      - match: "fails"
        text: "So far"
        fail: {message: "the model is [/out] of order", after_chunks: 1}
      - {match: "slowly", text: "one two three four five six", delay: 5}
      - {match: "note", chunks: ["A ", "note."]}
      - {text: "A summary in five words."}
steps:
  - id: take
    name: Take ticket
    kind: code
    code: |
      return {
        'ticket': {'id': 812, 'tier': 'silver', 'text': initial['message']},
        'documents': ['refund policy', 'opening hours'],
      }
  - id: summarise
    name: Summarise
    kind: llm
    model: scripted/talk
    prompt: |
      Summarise what this customer wants, in five words.

      {{ initial.message }}
  - id: each
    name: Each document
    kind: loop
    array_field: outputs.take.documents
    steps:
      - id: note
        name: Note
        kind: llm
        model: scripted/talk
        prompt: "Write a note about {{ item }}"
  - id: count
    name: Count
    kind: code
    input: {summary: outputs.summarise.text}
    code: "return {'words': len(summary.split())}"
  - id: reply
    name: Reply
    kind: llm
    model: scripted/talk
    prompt: "Reply with {{ words }} words"
"""

IDLE = """\
flow: acme/support/idle
inputs:
  message: {type: string}
steps:
  - {id: only, kind: passthrough}
"""
"""What the server starts with: it needs a flow file."""
