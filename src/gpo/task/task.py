"""A task: examples, how a prompt meets an example, how an answer is read and how it is scored.

Knows no optimizer: `Task` turns (prompt, example) into messages and a reply into a value, and nothing else.
"""
# CONTRACT (to be implemented by the task helper):
#
# @dataclass(frozen=True, kw_only=True)
# class Task:
#     name: str
#     splits: Splits
#     answer: AnswerReader            # gpo.task.answer
#     metric: Metric                  # gpo.task.metric
#     position: Position = "question_end"
#     demonstrations: int = 0
#     chat: bool = True               # False: plain completion for base models
#
#     def opening(self, prompt: str, example: Example) -> tuple[Message, ...] | str
#         first round: a chat, or a text to continue where chat is False
#     def closing(self, opening, reply: str) -> tuple[Message, ...] | str | None
#         the second round that asks for the bare answer, None where answer.rounds == 1
#     def read(self, reply: str) -> Prediction       # str | float | tuple[str, ...] | None (None: unreadable)
#     def score(self, reply: str, example: Example) -> float     # 0..1; reading + metric
#     def filled(self, prompt: str, example: Example) -> str     # as shown to a person / to the meta-prompt
#     from_csv / from_jsonl / from_rows classmethods
