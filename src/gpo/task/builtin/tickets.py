"""300 messages from customers of an online shop that also sells software, each for one of six queues.

Written by hand for GPO, labelled by the rule below.

Example: "The parcel took five weeks, so I bought one elsewhere. I don't need yours any more, I just want my
money back." -> refund

The routing rule. A message goes by what the customer wants to happen next, not by the words in it:

- refund: wants money given back or a purchase undone: return, cancel before it is sent, reimburse.
- delivery: wants an order to reach them: when, where to, by whom, how it is sent; what was lost, left out or
  mixed up on the way.
- account: wants to get in, or to change who they are to us: sign-in, codes, users and their rights, personal
  data, which mails and alerts they get, closing the account.
- payment: wants to pay, or to have a charge, a price at checkout, an invoice or a receipt explained or put
  right.
- product: wants to know something about the thing itself, or to get it to work: fit, faults, use, stock,
  variants.
- feedback: wants nothing done for them: thanks, praise, a grumble, an idea for everybody.

Each row also carries its `kind`: in a `plain` row a keyword of its own queue appears and none of another; in
an `indirect` row no keyword of any queue appears; in a `distractor` row a keyword of another queue appears.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Final

LABELS: Final = ("refund", "delivery", "account", "payment", "product", "feedback")
KINDS: Final = ("plain", "indirect", "distractor")
FILE: Final = "tickets.jsonl"


def read_rows() -> list[dict[str, str]]:
    """All rows in the order of the file: `input`, `target` (one of LABELS) and `kind` (one of KINDS)."""
    text = resources.files("gpo.task.builtin").joinpath(FILE).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]
