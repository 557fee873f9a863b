"""Reading answers from replies: one file an answer kind, one rule for all of them in `rule`."""

from gpo.task.answer.factory import answer_reader, name_reader
from gpo.task.answer.reader import Answer, AnswerReader, Prediction, read_reply

__all__ = ["Answer", "AnswerReader", "Prediction", "answer_reader", "name_reader", "read_reply"]
