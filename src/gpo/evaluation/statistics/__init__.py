"""How sure a comparison of two prompts is: paired statistics over the same examples.

Takes numbers: values in 0..1, one an example, in the same order for both prompts.
"""

from gpo.evaluation.statistics.adjusted_wald import adjusted_wald, bonett_price
from gpo.evaluation.statistics.bootstrap_t import bootstrap_t, paired_bootstrap
from gpo.evaluation.statistics.comparison import Comparison, compare, compare_counts, compare_groups
from gpo.evaluation.statistics.detectable import FEW_ROWS, detectable_gain, few_rows_warning
from gpo.evaluation.statistics.interval import Interval, wilson
from gpo.evaluation.statistics.mcnemar import mcnemar, mcnemar_counts
from gpo.evaluation.statistics.sign_flip import p_value, sign_flip
from gpo.evaluation.statistics.split_level import compare_split_level, split_interval
from gpo.evaluation.statistics.tango import tango
from gpo.evaluation.statistics.verdict import Verdict, decide

__all__ = [
    "FEW_ROWS",
    "Comparison",
    "Interval",
    "Verdict",
    "adjusted_wald",
    "bonett_price",
    "bootstrap_t",
    "compare",
    "compare_counts",
    "compare_groups",
    "compare_split_level",
    "decide",
    "detectable_gain",
    "few_rows_warning",
    "mcnemar",
    "mcnemar_counts",
    "p_value",
    "paired_bootstrap",
    "sign_flip",
    "split_interval",
    "tango",
    "wilson",
]
