"""Run the reproduction on a checkout and keep what it left as artifacts. Judges nothing."""

from __future__ import annotations

import msgspec

from pipelines.job.application import Application, serve
from pipelines.job.browser import Browser
from pipelines.job.job import Job
from pipelines.job.processes import Role
from pipelines.job.reproduction_run import Evidence, run_reproduction
from pipelines.job.workspace import read_untrusted
from pipelines.model import ArtifactKind


class Stage:
    """A fresh checkout of the job's repository, installed, on which the reproduction can be run."""

    def __init__(self, job: Job, *, name: str, patch: bytes | None = None) -> None:
        self._job = job
        self._name = name
        job.launcher.renew(Role.APPLICATION)
        job.launcher.renew(Role.NEIGHBOUR)
        self._beside = job.neighbours(name, Role.NEIGHBOUR)
        self.place = job.workplace(name, Role.APPLICATION, patch=patch)
        self.place.install()
        self._end()

    def run(self, test: bytes, *, browser: Browser, attempt: int = 1) -> Evidence:
        """Serve the checkout, run the test against it, keep the evidence."""
        job = self._job
        with serve(self.place, beside=self._beside) as application, job.log.step(f"reproduction ({self._name})"):
            evidence = run_reproduction(
                test,
                base_url=application.base_url,
                launcher=job.launcher,
                browser=browser,
                folder=job.root / f"run-{self._name}-{attempt}",
            )
        self._end()
        self._keep(evidence, application)
        return evidence

    def _end(self) -> None:
        for place in (self.place, *self._beside):
            place.end()

    def _keep(self, evidence: Evidence, application: Application) -> None:
        keep, name = self._job.artifacts.keep, self._name
        kept = (
            (ArtifactKind.SCREENSHOT, f"screenshot-{name}.png", evidence.screenshot),
            (ArtifactKind.TRACE, f"trace-{name}.zip", evidence.trace),
            (ArtifactKind.JUNIT, f"junit-{name}.xml", evidence.junit),
            (ArtifactKind.LOG, f"test-{name}.log", evidence.completed.output.encode()),
            (ArtifactKind.LOG, f"console-{name}.jsonl", msgspec.json.Encoder().encode_lines(evidence.run.notes)),
            (ArtifactKind.LOG, f"server-{name}.log", read_untrusted(application.log)),
            *(
                (ArtifactKind.LOG, f"server-{name}-{key}.log", read_untrusted(one.log))
                for key, one in application.neighbours
            ),
        )
        for kind, path, data in kept:
            if data is not None:
                keep(kind, path, data)
