"""Replies of a run that is not over which were of no use: a result tells of them at the end, the journal before."""

from __future__ import annotations

from gpo.evaluation.replies import MOST_USELESS
from gpo.storage.journal_reader import JournalReader


def count_useless(reader: JournalReader) -> tuple[str, ...]:
    """One line a cause where more than a fifth of the replies on dev so far broke off or could not be read."""
    seen, unreadable, cut = reader.count_replies("dev")
    if cut + unreadable <= MOST_USELESS * seen:
        return ()
    causes = (
        (unreadable, "could not be read; see task.answer or the prompt"),
        (cut, "were cut at their length; raise max_tokens"),
    )
    return tuple(f"dev: {count:,} of {seen:,} replies {what}" for count, what in causes if count)
