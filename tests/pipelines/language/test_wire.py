"""Documents between receiver and jobs: what can't be read is one kind of error, whoever wrote it."""

from __future__ import annotations

import msgspec
import pytest

from pipelines.language import Baseline
from pipelines.language.wire import decode


@pytest.mark.parametrize("nested", [b'{"x": ' + b"[" * 100_000, b'{"x":' * 100_000])
def test_a_document_that_is_nested_without_end_can_not_be_read(nested: bytes) -> None:
    with pytest.raises(msgspec.DecodeError, match="nested too deeply"):
        decode(nested, Baseline)
