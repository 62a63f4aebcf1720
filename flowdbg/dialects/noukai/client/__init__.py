"""The client side of the dialect: `/step`, whole runs, jobs, traces (sections 2 and 4 to 8)."""

OPERATIONS = {
    "step": "flowdbg.dialects.noukai.target:NoukaiTarget",
    "execute": "flowdbg.dialects.noukai.client.remote:NoukaiRemote",
    "jobs": "flowdbg.dialects.noukai.client.remote:NoukaiRemote",
    "traces": "flowdbg.dialects.noukai.client.remote:NoukaiRemote",
    "publish": "flowdbg.dialects.noukai.client.publishing:NoukaiPublisher",
}
"""What the client side can do, and what does it; loaded when it is used."""
