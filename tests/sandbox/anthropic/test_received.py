"""The emulator tells with what each conversation was begun, so that what a model was given can be proven."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx2

PICTURE = b"\x89PNG\r\n\x1a\nnot much of one"


def test_the_first_message_of_each_conversation_is_told_with_its_pictures(
    http: httpx2.Client, request_body: Callable[..., dict[str, Any]]
) -> None:
    lines = request_body()["messages"][0]["content"]
    source = {"type": "base64", "media_type": "image/png", "data": b64encode(PICTURE).decode()}
    blocks = [{"type": "text", "text": lines}, {"type": "image", "source": source}, {"type": "text", "text": "Look."}]
    began = {"role": "user", "content": blocks}
    answer = http.post("/v1/messages", json=request_body(messages=[began])).raise_for_status().json()
    [use] = [block for block in answer["content"] if block["type"] == "tool_use"]
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use["id"], "content": "5"}]}
    went_on = [began, {"role": "assistant", "content": answer["content"]}, result]
    http.post("/v1/messages", json=request_body(messages=went_on)).raise_for_status()
    http.post("/v1/messages", json=request_body(phase="testing")).raise_for_status()
    first, second = http.get("/_sandbox/received").json()
    assert (first["phase"], first["issue"], first["iteration"]) == ("analysis", "PL-479", 1)
    assert first["text"].endswith("Look.")
    assert first["pictures"] == [{"media_type": "image/png", "sha256": sha256(PICTURE).hexdigest()}]
    assert (second["phase"], second["pictures"]) == ("testing", [])


def test_what_was_refused_began_nothing(http: httpx2.Client, request_body: Callable[..., dict[str, Any]]) -> None:
    assert http.post("/v1/messages", json=request_body(phase="dreaming")).status_code == 400
    assert http.get("/_sandbox/received").json() == []
