"""Which tests watch over which code: for each path, the first entry that it begins with.

Cheap tests come first, as the first failure ends a run; a mutant that survives has met all of its line.
"""

from __future__ import annotations

TESTS: tuple[tuple[str, str], ...] = (
    ("optimizer/plus/moves", "optimizer/plus/test_propose.py optimizer/plus/test_moves.py optimizer/plus/test_runs.py"),
    ("optimizer/plus", "optimizer/plus/test_duel.py optimizer/plus/test_plan.py optimizer/plus/test_propose.py "
        "optimizer/plus/test_moves.py optimizer/plus/test_runs.py"),
    ("evaluation/window.py", "evaluation/test_window.py"),
    ("evaluation/posterior.py", "evaluation/test_posterior.py"),
    ("evaluation/statistics/power.py", "evaluation/test_power.py cli/test_power.py"),
    ("evaluation/statistics/d", "evaluation/test_power.py evaluation/test_verdict.py evaluation/test_statistics.py "
        "cli/test_power.py"),
    ("evaluation/statistics", "evaluation/test_statistics.py evaluation/test_verdict.py evaluation/test_power.py"),
    (
        "evaluation/score.py",
        "evaluation/test_race.py optimizer/test_loop.py reliability/test_unequal_rows.py reliability/test_stops.py",
    ),
    ("evaluation", "evaluation/test_race.py optimizer/test_loop.py reliability/test_racing.py "
        "reliability/test_unequal_rows.py"),
    ("optimizer/parts/edit_distance.py", "optimizer/test_edit_distance.py optimizer/test_method_parts.py"),
    (
        "optimizer/parts/trajectory.py",
        "optimizer/test_trajectory.py optimizer/test_calls.py optimizer/test_workbench.py "
        "optimizer/test_method_parts.py optimizer/test_meta_prompts.py",
    ),
    (
        "optimizer/parts",
        "optimizer/test_information.py optimizer/test_calls.py optimizer/test_reflection.py "
        "optimizer/test_method_parts.py optimizer/test_meta_prompts.py",
    ),
    ("optimizer/published/ape.py", "optimizer/test_calls.py optimizer/test_published_ape.py "
        "optimizer/test_workbench.py"),
    ("optimizer/published/apo.py", "optimizer/test_calls.py optimizer/test_published_apo.py "
        "optimizer/test_published_names.py"),
    ("optimizer/published/bandit.py", "optimizer/test_published_bandit.py optimizer/test_calls.py "
        "optimizer/test_published_apo.py"),
    ("optimizer/published/opro.py", "optimizer/test_calls.py optimizer/test_published_opro.py "
        "optimizer/test_published_names.py"),
    ("optimizer/published/pe2.py", "optimizer/test_calls.py optimizer/test_published_pe2.py "
        "optimizer/test_published_names.py"),
    ("optimizer/published", "optimizer/test_published_names.py optimizer/test_methods.py reliability/test_evaluate.py"),
    ("optimizer/calls.py", "optimizer/test_calls.py reliability/test_estimate.py run/test_context_size.py"),
    ("optimizer/workbench.py", "optimizer/test_workbench.py optimizer/test_reflection.py optimizer/test_loop.py"),
    ("optimizer/parts/layout1.py", "run/test_old_layout.py optimizer/test_edit_distance.py"),
    (
        "optimizer/candidates.py",
        "optimizer/test_candidates.py optimizer/test_edit_distance.py optimizer/test_loop.py",
    ),
    ("optimizer/reply.py", "optimizer/test_candidates.py optimizer/test_reflection.py"),
    ("optimizer/metaprompt.py", "optimizer/test_metaprompt.py optimizer/test_meta_prompts.py"),
    ("optimizer/methods.py", "optimizer/test_methods.py optimizer/test_method_parts.py test_public_names.py"),
    (
        "optimizer",
        "optimizer/test_loop.py optimizer/test_workbench.py optimizer/test_metaprompt.py optimizer/test_calls.py "
        "optimizer/test_methods.py optimizer/test_method_parts.py optimizer/test_meta_prompts.py",
    ),
    ("run/estimate/context_size.py", "run/test_context_size.py reliability/test_estimate.py"),
    ("run/estimate", "reliability/test_estimate.py run/test_context_size.py"),
    ("run/identity/code_fingerprint.py", "run/test_code_fingerprint.py"),
    ("run/identity/task_identity.py", "run/test_task_identity.py"),
    ("run/identity", "run/test_directory.py run/test_old_layout.py cli/test_optimize.py"),
    ("run/layers/amount.py", "reliability/test_budget.py reliability/test_estimate.py"),
    ("run/layers/budget", "reliability/test_budget.py reliability/test_stops.py"),
    ("run/layers/single_flight.py", "run/test_journaled.py reliability/test_in_flight.py"),
    ("run/layers/observed.py", "run/test_observed.py run/test_journaled.py reliability/test_useless_replies.py"),
    ("run/layers/journaled.py", "run/test_journaled.py reliability/test_properties.py"),
    ("run/layers", "run/test_journaled.py reliability/test_stops.py reliability/test_budget.py"),
    ("run/replay", "run/test_recorded_scores.py run/test_directory.py"),
    ("run/journal_writer.py", "run/test_journal_writer.py reliability/test_journal_writer.py report/test_page.py"),
    ("run/embeddings.py", "run/test_embeddings.py"),
    ("run/progress.py", "run/test_progress.py"),
    ("run/listeners.py", "run/test_progress.py reliability/test_journal_writer.py"),
    ("run/summary.py", "run/test_summary.py reliability/test_stops.py"),
    ("run/gc_tuning.py", "run/test_gc_tuning.py"),
    ("run/compose.py", "run/test_compose.py reliability/test_stops.py"),
    ("run/evaluate.py", "reliability/test_evaluate.py"),
    ("run/directory.py", "run/test_directory.py cli/test_optimize.py "
        "reliability/test_foreign_folders.py::test_what_is_written_is_its_owners_alone"),
    ("run/optimize.py", "run/test_progress.py run/test_closing.py reliability/test_stops.py"),
    ("run/plan.py", "run/test_frames.py run/test_compose.py run/test_old_layout.py cli/test_optimize.py"),
    (
        "run",
        "run/test_progress.py run/test_directory.py run/test_closing.py cli/test_optimize.py reliability/test_stops.py",
    ),
    ("storage/shared_store.py", "storage/test_shared_store.py run/test_journaled.py"),
    ("storage/group_commit.py", "storage/test_group_commit.py storage/test_journal.py storage/test_shared_store.py"),
    ("storage/atomic_write.py", "storage/test_atomic_write.py run/test_directory.py"),
    ("storage/sqlite/database_file.py", "storage/test_sqlite_files.py reliability/test_foreign_folders.py"),
    ("storage/sqlite", "storage/test_sqlite_files.py storage/test_journal.py storage/test_shared_store.py "
        "reliability/test_foreign_folders.py"),
    ("storage/typed.py", "storage/test_typed.py reliability/test_foreign_folders.py storage/test_journal.py"),
    ("storage/regular_file.py", "storage/test_regular_file.py reliability/test_foreign_folders.py "
        "run/test_directory.py"),
    ("storage/journal_reader.py", "storage/test_journal.py report/test_pace.py reliability/test_journal_writer.py "
        "reliability/test_foreign_folders.py::test_a_journal_with_any_field_of_another_type_is_shown_or_is_one_line"),
    ("storage/codec.py", "storage/test_codec.py storage/test_journal.py reliability/test_foreign_folders.py"),
    ("storage", "storage/test_journal.py storage/test_shared_store.py run/test_journaled.py run/test_directory.py"),
)  # fmt: skip


def find_tests(path: str) -> tuple[str, ...]:
    """The test paths of `path`, both relative to the repository. Raises `LookupError` where the table has none."""
    for prefix, tests in TESTS:
        if path.removeprefix("src/gpo/").startswith(prefix):
            return tuple(f"tests/{test}" for test in tests.split())
    raise LookupError(f"{path} has no tests in tests/mutants/paths.py")
