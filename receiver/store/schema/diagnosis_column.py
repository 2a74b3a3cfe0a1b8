"""Read an attempt's diagnoses from its columns: data, or the text that the previous release stores.

Goes with the next release, which finds data only.
"""

from __future__ import annotations

import msgspec

from pipelines.language import Diagnosis, DiagnosisKind
from receiver.store.schema.run_tables import IterationRow


def diagnoses_of(attempt: IterationRow) -> tuple[Diagnosis, ...]:
    """Return what an attempt was told of the one before; empty for the first."""
    if attempt.diagnoses is not None:
        return msgspec.convert(attempt.diagnoses, tuple[Diagnosis, ...])
    return (Diagnosis(kind=DiagnosisKind.UNCLASSIFIED, messages=(attempt.diagnosis,)),) if attempt.diagnosis else ()
