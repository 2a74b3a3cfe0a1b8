"""Hold a phase's conversation: prompts, tools, transcript, client. Knows no phase's content."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import anthropic
from msgspec import Struct

from pipelines.agents import pictures
from pipelines.agents.loop import AgentLoop, Conversation, Submitted
from pipelines.agents.model_call import MAX_RETRIES
from pipelines.agents.prompts import Prompts
from pipelines.agents.toolbox_client import open_toolbox
from pipelines.agents.transcript import Transcript
from pipelines.agents.untrusted import Cleaner
from pipelines.context.builder import build
from pipelines.job.communication.errors import JobError
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job import AgentFacts, Job
from pipelines.language import Phase
from pipelines.language.repository_context import RepositoryContext, of_catalogue
from pipelines.language.wire import encode


class PhaseSetting(Struct, frozen=True, kw_only=True):
    """Where an agent sits: what a checkout has too, for an agent that only reads."""

    folder: Path
    home: Path
    variables: Mapping[str, str]


class Given(Struct, frozen=True, kw_only=True):
    """What a phase gives to its conversation."""

    values: Mapping[str, object]
    documents: Mapping[str, object]
    extra: Mapping[str, str]

    def shown(self, cleaner: Cleaner) -> dict[str, object]:
        """Return what the template names: the values, and the documents as JSON."""
        return {**self.values, **{name: cleaner.document(one) for name, one in self.documents.items()}}


def hold(
    job: Job,
    place: Checkout | PhaseSetting,
    *,
    submit: Callable[[dict[str, Any]], Submitted],
    values: Mapping[str, object] | None = None,
    documents: Mapping[str, object] | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Talk until `submit` accepts; then no process of the agent is left.

    `values` are the template's and trusted, `documents` are shown in it as JSON, `extra` goes to the tools.
    """

    async def in_thread(given: dict[str, Any]) -> Submitted:
        return await asyncio.to_thread(submit, given)

    given = Given(values=values or {}, documents=documents or {}, extra=extra or {})
    asyncio.run(_hold(job, place, submit=in_thread, given=given))


async def _hold(
    job: Job,
    place: Checkout | PhaseSetting,
    *,
    submit: Callable[[dict[str, Any]], Awaitable[Submitted]],
    given: Given,
) -> None:
    agent = job.spec.agent
    if agent is None:
        raise JobError(f"The receiver named no agent for a {job.spec.phase} job.")
    cleaner, prompts = Cleaner(), Prompts()
    conversation = Conversation(
        phase=job.spec.phase,
        agent=agent,
        system=prompts.system(cleaner.document(of_catalogue(job.spec.catalogue, _contexts(job)))),
        first_message=prompts.first_message(job.spec, cleaner, given.shown(cleaner)),
        pictures=pictures.blocks(job.spec.ticket, cleaner),
        submit=submit,
    )
    job.log.state(f"agent {agent.name} on {agent.model}: at most {agent.limits.max_turns} turns")
    client = anthropic.AsyncAnthropic(
        auth_token=job.session.token,
        base_url=job.session.gateway_url,
        max_retries=MAX_RETRIES,
        timeout=600.0,
    )
    talker: AgentLoop | None = None
    try:
        environment = {**place.variables, **given.extra}
        async with client, open_toolbox(job.launcher, place.folder, home=place.home, extra=environment) as toolbox:
            talker = AgentLoop(
                client=client, toolbox=toolbox, transcript=Transcript(job.artifacts), cleaner=cleaner, log=job.log
            )
            ended = await talker.hold(conversation)
            job.log.state(f"agent done: {ended.turns} turns, {ended.input_tokens} tokens in, {ended.output_tokens} out")
    finally:
        job.agent_facts = AgentFacts(
            turns=talker.turns if talker else 0,
            stripped_characters=cleaner.stripped,
            refused_calls=talker.refused if talker else 0,
        )


def _contexts(job: Job) -> list[RepositoryContext]:
    """Return what is known of all repositories; what analysis had to build is kept for the jobs and runs to come."""
    known = dict(job.spec.contexts)
    for path, source in sorted(job.sources.items()):
        if path in known:
            continue
        with job.log.step(f"context of {path}"):
            known[path] = build(source)
            if job.spec.phase is Phase.ANALYSIS:
                job.keep_context(encode(known[path]))
    return list(known.values())
