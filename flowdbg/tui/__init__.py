"""The terminal front-end: actions, screens and widgets over the debugger's verbs.

Widgets know only `present` and messages. Screens talk to the debugger in workers that post
messages; handlers own the widgets.
"""
