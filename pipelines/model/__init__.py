"""What a run is: phases, the plan, what agents hand in and what a job reports (PhaseReport).

The published language between receiver and jobs. Holds data only: no I/O, no SDK; stdlib and msgspec.
"""

from pipelines.model.artifacts import Artifact, ArtifactKind
from pipelines.model.fields import CommitSha, IssueKey, Line, ProjectPath, RunId, Sha256, Text
from pipelines.model.limits import Limits
from pipelines.model.phase import Phase
from pipelines.model.plan import Approval, Complexity, DeployPattern, Location, Plan, PlanOutcome, RepositoryPlan, Risk
from pipelines.model.report import EndedBy, PhaseReport, ReportOutcome
from pipelines.model.results import (
    AnalysisResult,
    Framework,
    GenerateResult,
    ImplementationResult,
    MergeRequestResult,
    PhaseResult,
    PrepareResult,
    ReproductionResult,
    ReviewResult,
    TestingResult,
)
from pipelines.model.submissions import (
    FileRationale,
    Finding,
    FixSubmission,
    ReproductionSubmission,
    ReviewSubmission,
    Severity,
)
from pipelines.model.suites import Baseline, CheckResult, Coverage, KnownTests, SuiteResult

__all__ = [
    "AnalysisResult",
    "Approval",
    "Artifact",
    "ArtifactKind",
    "Baseline",
    "CheckResult",
    "CommitSha",
    "Complexity",
    "Coverage",
    "DeployPattern",
    "EndedBy",
    "FileRationale",
    "Finding",
    "FixSubmission",
    "Framework",
    "GenerateResult",
    "ImplementationResult",
    "IssueKey",
    "KnownTests",
    "Limits",
    "Line",
    "Location",
    "MergeRequestResult",
    "Phase",
    "PhaseReport",
    "PhaseResult",
    "Plan",
    "PlanOutcome",
    "PrepareResult",
    "ProjectPath",
    "ReportOutcome",
    "RepositoryPlan",
    "ReproductionResult",
    "ReproductionSubmission",
    "ReviewResult",
    "ReviewSubmission",
    "Risk",
    "RunId",
    "Severity",
    "Sha256",
    "SuiteResult",
    "TestingResult",
    "Text",
]
