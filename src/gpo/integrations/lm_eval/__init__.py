"""Tasks of lm-evaluation-harness from their YAML, without running code of theirs."""

from gpo.integrations.lm_eval.task import HarnessTask, read_task, task_from_yaml

__all__ = ["HarnessTask", "read_task", "task_from_yaml"]
