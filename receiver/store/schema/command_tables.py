"""The table of what people commanded."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from receiver.store.schema.columns import Base, Serial


class CommandRow(Base):
    """A command that was read: what somebody says once has one effect, whichever run it reached."""

    __tablename__ = "commands"
    __table_args__ = (UniqueConstraint("venue", "place", "message"),)

    id: Mapped[Serial]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    venue: Mapped[str]
    """`receiver.workflow.messages.Venue`."""
    place: Mapped[str]
    """The ticket's key, or project id and number of the merge request; of a terminal the run."""
    message: Mapped[str]
    """Id of the comment, note or request."""
    word: Mapped[str]
    """As it was written; untrusted, as all that follows of it."""
    arguments: Mapped[list[str]] = mapped_column(server_default="{}")
    hint: Mapped[str] = mapped_column(server_default="")
    directory: Mapped[str]
    author: Mapped[str]
    author_name: Mapped[str] = mapped_column(server_default="")
    is_obeyed: Mapped[bool | None]
    """None: not decided on, or left alone because the author gave too many."""
    answer: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime]
