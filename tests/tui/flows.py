"""The flow that the screen's tests step through."""

from __future__ import annotations

ADDRESS = "acme/support/triage"

FLOW = f"""\
flow: {ADDRESS}
inputs:
  message: {{type: string}}
scripts:
  talk:
    replies:
      - {{match: "again", text: "The second version of the summary."}}
      - {{match: "fails", fail: {{message: "the model is [/out] of order"}}}}
      - {{match: "slowly", text: "one two three four five six", delay: 5}}
      - {{text: "A summary in five words."}}
steps:
  - {{id: take, name: Take ticket, kind: passthrough}}
  - {{id: summarise, name: Summarise, kind: llm, model: scripted/talk, prompt: "Summarise {{{{ message }}}}"}}
  - {{id: count, name: Count words, kind: code, input_schema: {{type: object}}, code: "return {{'words': len(input['text'].split())}}"}}
"""
