"""Anthropic's Messages API emulated: validates as the API does, plays scripted turns, counts, caches and bills.

Emulated: `POST /v1/messages` (JSON and streaming), `/v1/messages/count_tokens`. Not emulated, and refused by name: the
list of models, betas, server-side threads, server tools, MCP, containers, batches, files, fast mode, data residency.
The public entry is `sandbox.anthropic.app.create`.
"""
