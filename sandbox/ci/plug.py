"""Plug the CI engine into the emulated GitLab: `gitlab.app.create(state, extend=Plug(state, settings))`."""

from sandbox.ci.api import control, jobs, oidc, pipelines
from sandbox.ci.engine.orders import RunnerSettings
from sandbox.ci.instance.entities import pipeline
from sandbox.ci.instance.instance import Ci
from sandbox.gitlab.state import Json, MergeRequest, Project, State
from sandbox.http import Application

MODULES = (pipelines, jobs, oidc, control)


class Plug:
    """Adds the engine's routes to an application; `ci` is what they work on, for the pages to read."""

    def __init__(self, state: State, settings: RunnerSettings) -> None:
        self.ci = Ci(state, settings)
        state.head_pipeline = self._head_pipeline

    def __call__(self, application: Application) -> None:
        """Add routes, and stop all jobs when the application stops."""
        for module in MODULES:
            application.router.include(self.ci, module.ROUTES)
        application.on_shutdown.append(self.ci.engine.stop)

    def _head_pipeline(self, project: Project, mr: MergeRequest) -> Json | None:
        found = self.ci.head_pipeline(project, mr)
        return None if found is None else pipeline(self.ci.site, found)
