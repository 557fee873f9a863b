"""What is fuzzed, by name."""

from tests.fuzz.targets.all import TARGETS as TARGETS
from tests.fuzz.targets.all import target as target
