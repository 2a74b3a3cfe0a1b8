"""What a run is: phases, the plan, what agents hand in and what a job reports (PhaseReport).

The published language between receiver and jobs. Holds data only: no I/O, no SDK; stdlib and msgspec.
"""

from pipelines.language.agent_limits import Limits
from pipelines.language.artifacts import Artifact, ArtifactKind
from pipelines.language.deploy_pattern import DeployPattern
from pipelines.language.diagnosis import Diagnosis, DiagnosisKind
from pipelines.language.fields import CommitSha, IssueKey, Line, ProjectPath, RunId, Sha256, Text
from pipelines.language.phase import Phase
from pipelines.language.pipeline_key import PipelineKey, PipelineKind
from pipelines.language.plan import (
    Approval,
    Complexity,
    Location,
    Plan,
    PlanOutcome,
    RepositoryPlan,
    Risk,
)
from pipelines.language.proof import FileWord, Isolation, NamedTest, ProbedFile, Proof, TestWord
from pipelines.language.report import EndedBy, PhaseReport, ReportOutcome
from pipelines.language.results import (
    AnalysisResult,
    FailedTest,
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
from pipelines.language.submissions import (
    FileRationale,
    Finding,
    FixSubmission,
    ReproductionSubmission,
    ReviewSubmission,
    Severity,
)
from pipelines.language.suites import Baseline, Check, CheckOutput, CheckResult, Coverage, KnownTests, SuiteResult

__all__ = [
    "AnalysisResult",
    "Approval",
    "Artifact",
    "ArtifactKind",
    "Baseline",
    "Check",
    "CheckOutput",
    "CheckResult",
    "CommitSha",
    "Complexity",
    "Coverage",
    "DeployPattern",
    "Diagnosis",
    "DiagnosisKind",
    "EndedBy",
    "FailedTest",
    "FileRationale",
    "FileWord",
    "Finding",
    "FixSubmission",
    "Framework",
    "GenerateResult",
    "ImplementationResult",
    "Isolation",
    "IssueKey",
    "KnownTests",
    "Limits",
    "Line",
    "Location",
    "MergeRequestResult",
    "NamedTest",
    "Phase",
    "PhaseReport",
    "PhaseResult",
    "PipelineKey",
    "PipelineKind",
    "Plan",
    "PlanOutcome",
    "PrepareResult",
    "ProbedFile",
    "ProjectPath",
    "Proof",
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
    "TestWord",
    "TestingResult",
    "Text",
]
