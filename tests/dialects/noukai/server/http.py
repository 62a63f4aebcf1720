"""Requests that wait for as long as a busy machine may take."""

from __future__ import annotations

from functools import partial

import httpx

get = partial(httpx.get, timeout=120, verify=False)
post = partial(httpx.post, timeout=120, verify=False)
put = partial(httpx.put, timeout=120, verify=False)
