"""Limits and time-outs of the receiver, in one place. Constants only; imports nothing of ours.

Limits that a team sets are in bug-fix.yml (`policy`), those of an installation in `receiver.settings`; those of
jobs in `pipelines.job.limits`. How much one parser reads or one page shows is set in its own module. Names ending in
`_S` are seconds.
"""

from datetime import timedelta
from typing import Final

# Runs: how long one may stay in a status that is not an end (`receiver.workflow.lifecycle.LIMITS`).

ADMITTING: Final = timedelta(minutes=15)
QUEUED: Final = timedelta(days=7)
"""For a run's turn to come; a queue that is longer needs a larger `policy.concurrency`, or a person."""
STARTING: Final = timedelta(minutes=15)
RUNNING: Final = timedelta(hours=12)
"""Longer than the time-outs of the jobs that follow one another in an iteration: those of prepare and generate
(templates/ci/phases.yml), then three of the slowest preset's, four with a review, 10 h 45 min. The rest is for runners
that are busy and jobs that GitLab retries. GitLab ends a job that hangs; this limit is for what nothing ends.
"""
WAITING_FOR_INFORMATION: Final = timedelta(days=14)
"""For the answer to a question on the ticket."""
WAITING_FOR_APPROVAL: Final = timedelta(days=14)
"""For somebody to approve the plan."""
OPENING: Final = timedelta(minutes=30)
IN_REVIEW: Final = timedelta(days=14)
PAUSED: Final = timedelta(days=14)
"""For somebody to resume a run; then people get it."""
PAUSED_REMINDER: Final = timedelta(days=7)
"""After which the ticket is reminded, once, of a run that is paused."""
NEVER: Final = timedelta(days=36_500)
"""For what has no end, where a time has to stand."""
STOPPED_WITHIN: Final = timedelta(minutes=5)
"""After which jobs of a cancelled pipeline that still run are reported to people."""
OVERDUE_GRACE: Final = timedelta(minutes=10)
"""After a deadline GitLab is asked once; this much later the run is escalated."""
DEADLINE_NOTICED_LATE: Final = timedelta(minutes=2)
"""A deadline noticed this late passed while we were away, so GitLab is asked first what happened meanwhile."""
REPORTS_SETTLE: Final = timedelta(minutes=10)
"""After the parent pipeline ended, its last reports are settled within this."""
INTERRUPTIONS: Final = 2
"""Times that a run begins an attempt anew because runner, network or vendor failed."""
HEALINGS: Final = 3
"""Iterations of a run in which remedies are applied instead of an agent working."""
INTERRUPTED_WAIT: Final = timedelta(minutes=1)
"""Before the first of these; five times as long before each further one."""
DIAGNOSES: Final = 20
"""Diagnoses that an attempt is told, the newest first."""
QUESTIONS: Final = 4
"""Rounds of questions to the reporter, after which a person takes over."""
PLANS_FOR_REPORTER: Final = 4
"""Times that a run waited for people, after which the reporter has no other plan made: each costs an analysis.
Those who may start runs go on as they like; the run's budget is their limit.
"""
PIPELINE_LEFT_BEHIND: Final = timedelta(minutes=10)
"""For so long a run that is no longer at work counts as such while GitLab has not said that its pipeline is over: the
pipeline is being cancelled. Longer, and a lost hook would hold a place in the queue for ever."""
QUEUE_TOLD: Final = 3
"""Runs at the head of the queue whose tickets are told each new position; a comment is not edited more often."""
BRANCH_SLUG: Final = 40
"""Characters of a ticket's summary in the name of a branch."""


EPISODE: Final = timedelta(days=14)
"""A run that begins this soon after the end of the ticket's run before is a restart: both are one in figures."""
OUTCOME_WATCHED: Final = timedelta(days=14)
"""For so long after the merge it is looked whether a fix is taken back, or its ticket opened again."""
OUTCOME_LOOKED_AT: Final = timedelta(days=1)
"""How often."""
COMMITS_READ: Final = 1_000
"""Commits of a target branch that are looked at for one that takes a fix back, the newest first."""
EPISODE_SETTLES: Final = timedelta(days=2)
"""For so long after the last decision, figures follow what is still settled or performed."""
EPISODE_OVERLAP: Final = timedelta(minutes=1)
"""How long a transaction may last whose rows a sweep did not see yet, and the next one must not miss."""


# Hooks and other requests.

HOOK_REPLAY: Final = timedelta(minutes=5)
"""Age of a signed hook, in both directions: the recommendation of Standard Webhooks."""
HOOK_BODY: Final = 25 * 1024 * 1024
"""Bytes. GitLab sends no larger hook (doc/administration/instance_limits.md); Jira's limit is lower."""
LARGE_HOOK: Final = 1024 * 1024
"""Bytes above which a body waits for its turn, as does one whose length is not announced."""
LARGE_HOOKS_AT_ONCE: Final = 8
"""Large bodies that are held in memory at the same time."""
HOOK_TURN_S: Final = 5.0
"""Seconds that a large body waits for its turn."""
HOOK_BODY_S: Final = 30.0
"""Seconds in which a body has to arrive; GitLab itself gives up after 10."""
HOOK_RETRY_S: Final = 5
"""Seconds after which a sender tries again when a hook can't be stored (503)."""
REQUEST_BODY: Final = 1024 * 1024
"""Bytes of any other request body; routes that accept more declare it."""
REQUEST_HEAD_S: Final = 15.0
"""Seconds in which the head of a request has to arrive: of a connection's first from its opening on, of a later one
from its first byte on."""
REQUEST_BODY_S: Final = 120.0
"""Seconds in which the body of any request has to arrive after its head: 32 MiB at 2.3 Mbit/s."""
ANSWER_UNREAD_S: Final = 60.0
"""Seconds in which an answer, or a part of a streamed one, has to be taken once the system's buffers are full."""
PIPELINED: Final = 10
"""Requests that one connection may send ahead, before the first is answered."""
CONNECTION_KEPT_S: Final = 75
"""Seconds for which a connection is kept between two requests: longer than proxies and clients keep theirs, because
the other way requests get lost."""
WAITING_OF_ADDRESS: Final = 500
"""Connections of one address that wait for their sender, or for somebody to read their answer; with one more, the one
that waits longest is closed. So this many others have to be opened before somebody who is about to speak is cut off."""
WAITING_IN_ALL: Final = 1000
"""The same of all addresses; the one to go is of the address that has most."""
ACCEPTED_AT_ONCE: Final = 64
"""Connections that are taken in before the first of them is read from: far fewer than may wait of one address."""
ENDED_TOLD_S: Final = 10.0
"""Seconds between two lines in the log about connections that were closed because they waited: they can be many."""
UNACCEPTED: Final = 1024
"""Connections that the system keeps until they are taken in."""
SERVED_AT_ONCE: Final = 2000
"""Connections and requests above which the answer is 503. Only `WAITING_IN_ALL` of them wait: the rest is being
answered, and is far more than a team's CI needs."""
OPEN_FILES: Final = 4096
"""Files and connections that the web service may have open, where the system lets it."""
DATABASE_ANSWER_S: Final = 3
"""Seconds in which the database has to answer a readiness check, and after which the check is repeated."""
SIGNED_IN_S: Final = 30 * 24 * 3600
"""Seconds for which a browser stays signed in."""


# Jobs.

JOB_SESSION: Final = timedelta(hours=6)
"""Longest life of a job's session, however long its token is valid."""
CLOCK_SKEW_S: Final = 10
"""Seconds by which GitLab's clock and ours may differ when a token is checked."""
ISSUER_KEYS_REFRESH_S: Final = 10.0
"""Seconds between two fetches of the issuer's keys, however many tokens name unknown ones."""
ISSUER_KEYS_AGE_S: Final = 3600.0
"""Seconds after which keys are fetched again, so that a withdrawn one is not trusted for ever."""
REPORT_PROBLEMS: Final = 20
"""Sentences that a job is told about a refused report."""
UNKNOWN_JOB_RETRY_S: Final = 1
"""Seconds after which a job asks again that is faster than our commit (425)."""
GITLAB_AWAY_RETRY_S: Final = 5
"""Seconds after which a job asks again when GitLab does not answer us (503)."""
ASK_GITLAB_EVERY_S: Final = 5
"""Seconds between two questions to GitLab about an unknown pipeline, however many jobs ask."""
REFUSALS_IN_STORY: Final = 100
"""Refusals to the jobs of one run that its story keeps."""
REPORT_ARTIFACTS: Final = 200
"""Artifacts that a report lists."""
REPORT_PATH: Final = 400
"""Characters of an artifact's path."""
REPORT_REASON: Final = 10_000
"""Characters of a report's reason."""
ARTIFACT_FILE: Final = 5 * 1024**3
"""Bytes of an artifact that a report lists; the file itself stays in GitLab."""
RUN_UPLOADS: Final = 200 * 1024 * 1024
"""Bytes that all jobs of a run may hand in."""
COLLECTED_REPORT_PROBLEMS: Final = 5
"""Sentences about a report that was collected from a job's artifacts and refused."""
PATCH_PROBLEMS: Final = 5
"""Sentences about a refused change."""

COMMIT_BYTES: Final = 20_000_000
"""Bytes of one commit's contents in base64: GitLab throttles requests that are larger (3 in 30 seconds)."""
DIFF_FILES: Final = 1_000
"""Files that a diff of the previous release's job client may name; policy's own limit is for people and lower."""
GIT_S: Final = 60
"""Seconds for a git command that takes such a diff."""


# Gateway.

CALL_BODY: Final = 32 * 1024 * 1024
"""Bytes of a request; the Messages API takes no more."""
CALL_OUTPUT_TOKENS: Final = 64_000
"""Output tokens that a call may ask for."""
CALL_JSON_DEPTH: Final = 40
"""Depth of a request's JSON."""
LARGE_CALL: Final = 256 * 1024
"""Bytes from which on a request is inspected in a thread, so that others don't wait."""
CALL_OVERHEAD_TOKENS: Final = 2_000
"""Tokens that the API may add to a prompt on its own, for tools: an upper bound."""
SESSION_CALLS: Final = 4
"""Concurrent calls of one session; an agent makes one at a time."""
SESSION_CALLS_RETRY_S: Final = 2
"""Seconds after which a job tries again that has too many calls under way (429)."""
STREAM_BACKLOG: Final = 4 * 1024 * 1024
"""Bytes that wait for a job before its stream is given up."""
CALL_S: Final = 3600.0
"""Seconds after which a call is given up, however alive it looks."""
GATEWAY_BUSY_RETRY_S: Final = 2
"""Seconds after which a job tries again when the gateway is at its limit (429)."""
SETTLE_PATIENCE_S: Final = 60.0
"""Seconds for which a restarting Postgres is waited for before a call is left to the sweep, which holds it."""
CALL_ABANDONED: Final = timedelta(seconds=CALL_S + 15 * 60)
"""Age of a reservation whose gateway must have died: no call lasts as long, settling included."""


# Worker.

WORKER_HEARTBEAT_S: Final = 2.0
"""Seconds between a worker's signs of life; see `WORKER_STALLED_S`."""
REVIVE_EVERY_S: Final = 5.0
"""Seconds between two looks for jobs of dead workers."""
RECONNECT_S: Final = 0.5
"""Seconds after the database was lost; what the lost worker had under way is revived later."""
URGENT_AT_ONCE: Final = 2
"""Urgent jobs that a worker does beside its others: somebody says to cancel, or to escalate."""
QUEUE_RETRY_S: Final = 20
"""Longest wait before a failed queue job is tried again, in seconds; it holds back those with its lock."""
WORKER_STALLED_S: Final = 10.0
"""Seconds without a heartbeat after which a worker's jobs are given to others; doing one twice does no harm."""
DELIVERY_LOST: Final = timedelta(seconds=30)
"""A delivery in nobody's queue for this long was lost with a failed job."""
RUN_SILENT: Final = timedelta(minutes=2)
"""Without a hook about the pipelines of a run at work for this long, GitLab is asked whether the first one ended."""
JOBS_SILENT: Final = timedelta(minutes=10)
"""The same, after which GitLab is asked about its children and all jobs, too."""
REVIEW_SILENT: Final = timedelta(hours=1)
"""The same for a run whose merge requests are in review, because of the repositories' own pipelines."""
MERGE_LOOKED_AT: Final = timedelta(minutes=5)
"""How often a merge request that somebody approved is looked at, where the workflow merges: no hook tells of a resolved
thread, of a rule that is met, or of a train that was left."""
EMPTY_COMMITS: Final = 5
"""Commits without a change that are looked below for the one that brought a tree."""
REPORT_UNSETTLED: Final = timedelta(seconds=15)
"""A report that waits this long: the hook about its job did not arrive, or the report did not."""
TICKET_UNHEARD: Final = timedelta(hours=1)
"""Interval at which the ticket of an active run is looked at though the search did not find it changed: people may have
taken the label off."""
POLL_EVERY_S: Final = 120.0
"""Seconds between two looks at the runs' merge requests, and at hooks, for what no hook told."""
TICKETS_EVERY_S: Final = 30.0
"""Seconds between two searches of Jira: Data Center sends no hook again, and people wait for what a label begins."""
TICKET_HOOK_ON_ITS_WAY: Final = timedelta(seconds=30)
"""A change of a ticket that is younger than this is left to its hook."""
HOOK_ON_ITS_WAY: Final = timedelta(minutes=2)
"""What changed in GitLab later than this is left to its hook. Also how far a vendor's clock and ours may differ."""
LABEL_TOLD_TWICE: Final = timedelta(seconds=10)
"""By how much the times differ that Jira's hook and Jira's changelog tell of one label."""
LABELS_OVERLAP: Final = timedelta(minutes=10)
"""How much of the search before a search looks at again: for clocks that differ and labels that were too young."""
LABELS_LOOK_BACK: Final = timedelta(days=7)
"""How far the very first search looks back; later ones begin where the one before ended."""
RUN_FOLLOWED: Final = timedelta(days=30)
"""For this long after the end of a run, what people do on its ticket and its merge requests is still looked for."""
MERGE_REQUESTS_AT_ONCE: Final = 100
"""Merge requests of one project that are asked for in one request."""
HOOKS_RESENT: Final = 5
"""Failed deliveries of a project's hooks that are sent again at a time: GitLab's limit for a minute."""
NOTES_READ: Final = 1_000
"""Notes of a merge request that are looked at, the newest first, for those of which no hook told."""
LABEL_PAGE: Final = 100
"""Tickets in one answer; Cloud gives no more."""
LABEL_PAGES: Final = 10
"""Answers of one search; the next one goes on where it ended."""
DELIVERY_ATTEMPTS: Final = 5
"""Failures after which a delivery gets the verdict `failed`, which people see, and makes room for the next."""
EFFECT_BUSY: Final = timedelta(seconds=2)
"""Wait when somebody else performs the same effect: a worker that was thought dead, for example."""


# Effects.

EFFECT_FIRST_WAIT: Final = timedelta(seconds=1)
"""Before the second attempt of an effect; doubled for each further one."""
EFFECT_LONGEST_WAIT: Final = timedelta(seconds=30)
"""A waiting effect holds back those of its group, so waits are short."""
EFFECT_RETRY_AFTER: Final = timedelta(minutes=5)
"""Longest `Retry-After` of a vendor that is honoured in full."""
EFFECT_GIVE_UP: Final = timedelta(minutes=15)
"""After the first attempt; jobs wait as long for us."""
GITLAB_ANSWER_S: Final = 20.0
"""Seconds until GitLab has to answer."""
JIRA_ANSWER_S: Final = 20.0
"""Seconds until Jira has to answer."""
LOST_PIPELINE_WINDOW: Final = timedelta(minutes=10)
"""How far GitLab's clock may be behind ours when a lost pipeline is looked for."""
EVIDENCE_FILE: Final = 10 * 1024 * 1024
"""Bytes of one file shown as evidence."""
EVIDENCE_TOTAL: Final = 25 * 1024 * 1024
"""Bytes of all evidence of a merge request."""
ATTACHED_PICTURE: Final = 5 * 1024 * 1024
"""Bytes of a picture that is attached to a ticket: one of a page has a few hundred thousand, and Jira refuses files
over 10 MiB."""
REVIEWERS: Final = 5
"""Reviewers of one merge request: more of them, and nobody feels asked."""
REVIEWER_NAMES: Final = 20
"""Names that are looked up to find the reviewers of a merge request."""


# Commands and answers to people.

LABEL_TAKEN_OFF: Final = timedelta(seconds=60)
"""After the start label was taken off a run is cancelled; bulk edits take labels off, and set again it is a retry."""
COMMAND_WORD: Final = 40
COMMAND_ARGUMENT: Final = 100
COMMAND_HINT: Final = 500
"""Characters that are kept of each part of a command; the rest is dropped."""
COMMAND_ARGUMENTS: Final = 60
"""Words that are kept of a command, reasons included; further ones are dropped."""
COMMANDS_OF_ONE: Final = 40
"""Commands of one author that one run takes in; what the author says after them is left alone."""

COMMAND_AWAITED_S: Final = 10.0
"""Seconds for which a command at a terminal waits for what becomes of it."""

REFUSALS_TO_ONE: Final = 8
"""Refusals on one ticket to one author, whatever the run: an automation that answers our comments with the label
must not go on for ever."""
ANSWERS: Final = 20
"""Answers of one run to all who may not start runs. Those who may are not counted, so nonsense of others does not
silence them."""
ANSWERS_TO_ONE: Final = 8
"""Answers of one run to one author: an automation that answers our answers must not go on for ever."""
