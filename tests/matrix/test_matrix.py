"""The whole failure matrix: each row that this package has to answer for, and the tests that hold it.

A row is a failure; what is required then stands in the names of its tests. A test that is renamed or lost is missed
here, and so is a new one of this folder that belongs to no row. Rows on forks and mounts have their tests in
`tests/refresh`. What a supervisor, a rotation driver or the pool of a database does about failures has its with them.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent

# For each row its files, from here or from the folder above; where no test is named, the whole file is meant.
ROWS: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "the backend is down at the start": {
        "test_unreachable.py": (
            "test_a_backend_that_is_down_at_the_start_is_one_report_of_all_references",
            "test_a_backend_that_hangs_at_the_start_is_given_up_in_time",
        ),
    },
    "it goes down in life": {
        "test_unreachable.py": (
            "test_a_backend_that_is_killed_is_found_again_within_two_polls",
            "test_a_connection_that_is_dropped_again_and_again_is_stale_and_not_gone",
            "test_a_lease_is_served_while_the_backend_hangs_and_not_a_moment_past_its_end",
        ),
    },
    "it hangs": {
        "test_unreachable.py": ("test_a_backend_that_hangs_holds_up_neither_readers_nor_other_sources",),
    },
    "it is sealed": {
        "test_unreachable.py": ("test_what_was_sealed_is_read_again_without_a_new_login",),
    },
    "it is slow": {
        "test_unreachable.py": ("test_a_slow_backend_is_asked_for_all_at_one_moment",),
    },
    "ten thousand reveals a second while it is refreshed": {
        "test_unreachable.py": ("test_ten_thousand_reveals_a_second_do_not_wait_for_a_refresh",),
    },
    "the token is expired or revoked": {
        "test_tokens.py": (
            "test_a_token_that_is_revoked_is_followed_by_one_login",
            "test_what_was_leased_under_a_revoked_token_is_leased_anew",
            "test_a_token_that_ends_again_and_again_is_no_news",
            "test_a_token_that_was_given_and_dies_is_denied_and_the_value_is_served_on",
            "test_a_token_of_a_file_that_was_written_anew_is_used_at_once",
            "test_what_nobody_follows_any_more_is_logged_in_for_no_more",
        ),
    },
    "the token is near its longest life": {
        "test_tokens.py": ("test_a_token_near_its_longest_life_is_followed_by_another_beside_it_and_no_query_fails",),
        "test_life_of_a_credential.py": ("test_a_password_is_renewed_handed_over_and_revoked_and_no_login_fails",),
    },
    "the token dies before its lease": {
        "test_tokens.py": (
            "test_a_lease_ends_with_its_token_and_is_replaced_before",
            "test_a_lease_and_its_login_are_renewed_together_and_the_password_stays",
        ),
    },
    "the renewal of the token fails": {
        "test_tokens.py": (
            "test_a_renewal_that_fails_is_tried_until_a_tenth_is_left",
            "test_a_renewal_that_is_refused_is_followed_by_another_login",
        ),
    },
    "a permission is lost": {
        "test_tokens.py": ("test_a_lost_permission_names_the_path_and_what_it_lacks_and_the_value_is_served_on",),
        "test_gone.py": ("test_a_lost_permission_is_asked_for_again_every_half_a_minute",),
    },
    "a secret is deleted, destroyed, missing, or its path is wrong": {
        "test_gone.py": (
            "test_four_ways_not_to_be_there_are_four_words_in_one_report",
            "test_what_goes_away_in_life_is_served_on_with_one_loud_event",
            "test_what_is_gone_is_asked_for_every_half_a_minute_and_never_less_often",
            "test_one_that_is_gone_holds_up_none_of_its_neighbours",
        ),
    },
    "a secret is undeleted, rolled back, made anew": {
        "test_gone.py": (
            "test_what_is_undeleted_is_published_again",
            "test_a_rollback_is_published",
            "test_a_secret_that_is_made_anew_is_published_though_its_version_goes_down",
            "test_a_secret_that_is_made_anew_under_the_same_version_is_published",
        ),
    },
    "a lease is revoked behind us": {
        "test_leases.py": (
            "test_a_lease_that_is_revoked_behind_us_is_another_one_at_once_for_whoever_asks",
            "test_a_lease_that_is_revoked_behind_us_is_another_one_with_the_next_renewal",
            "test_a_hundred_threads_that_need_another_one_make_one_request",
        ),
    },
    "a lease is renewed, cut short, cannot be renewed, is not needed any more": {
        "test_leases.py": (
            "test_a_lease_is_renewed_and_its_password_stays",
            "test_a_renewal_that_gives_less_than_before_is_followed_by_another_lease_at_once",
            "test_a_lease_whose_renewal_fails_is_replaced_before_its_end",
            "test_what_is_closed_is_given_back",
        ),
    },
    "a role of the database is dropped under open connections": {
        "test_leases.py": ("test_a_role_that_was_dropped_behind_everybody_is_another_one_for_whoever_asks",),
    },
    "the database is down while a login is made": {
        "test_leases.py": ("test_a_database_that_hangs_while_another_login_is_made_leaves_the_old_one_served",),
    },
    "the clock jumps, the machine sleeps": {
        "test_clock.py": (
            "test_deadlines_stand_on_a_clock_that_nobody_sets_and_that_goes_on_in_sleep",
            "test_a_time_of_day_that_jumps_costs_no_request_and_no_value",
            "test_what_changed_while_the_machine_slept_is_seen_within_one_poll",
            "test_many_that_wake_at_one_moment_do_not_ask_at_one_moment",
            "test_a_lease_that_was_slept_through_is_not_served_until_there_is_another",
        ),
    },
    "a partition heals before many clients": {
        "test_clock.py": ("test_many_that_were_cut_off_come_back_one_by_one_when_it_heals",),
    },
    "an answer is malformed": {
        "test_malformed.py": ("test_what_cannot_be_an_answer_is_stale_and_not_gone_and_repeated_nowhere",),
    },
    "there are too many requests": {
        "test_malformed.py": (
            "test_come_back_later_is_obeyed_up_to_a_minute",
            "test_too_many_requests_widen_the_poll_and_answers_narrow_it_again",
            "test_a_quota_of_a_real_server_is_waited_out",
        ),
    },
    "the server has a fault, is behind, or leads elsewhere": {
        "test_malformed.py": (
            "test_a_fault_of_the_server_is_stale",
            "test_a_redirect_is_not_followed_and_no_token_goes_there",
        ),
    },
    "TLS is not right, and the file of the CA changes": {
        "test_tls.py": (
            "test_a_certificate_that_is_not_right_any_more_is_stale_with_its_reason",
            "test_such_a_certificate_at_the_start_is_unreachable",
            "test_a_server_that_speaks_no_tls_any_more_gets_no_token",
            "test_a_ca_file_that_names_another_ca_is_stale_until_it_is_mended",
            "test_a_ca_that_is_rotated_costs_nothing_where_its_file_is_written_first",
            "test_a_ca_file_that_is_half_written_changes_nothing",
        ),
    },
    "a secret id is used up, a wrapping was opened by somebody else": {
        "test_tokens.py": (
            "test_a_secret_id_that_is_used_up_is_not_tried_again_and_again",
            "test_a_wrapping_that_somebody_else_has_opened_ends_the_start_with_an_alarm",
        ),
    },
    "a mount of Kubernetes is swapped, is a subPath, loses a file": {
        "refresh/test_mounts.py": (
            "test_swaps_in_a_row_that_are_slower_than_the_interval_are_each_seen_in_a_mounted_layer",
            "test_a_pair_from_a_whole_mount_is_never_torn",
            "test_a_key_of_a_mount_is_never_absent_while_the_mount_is_swapped",
            "test_a_key_that_vanishes_is_gone_and_served_on_and_comes_back_by_itself",
            "test_a_file_that_is_mounted_by_itself_stays_what_it_is_and_explain_says_so",
        ),
    },
    "a process forks": {
        "refresh/test_fork.py": (
            "test_fifty_of_fifty_children_live_that_were_forked_while_a_lock_was_held",
            "test_children_of_children_see_a_change",
            "test_a_parent_ends_what_it_obtained_after_the_fork_and_nothing_before",
            "test_every_worker_of_gunicorn_answers_the_new_value",
        ),
    },
    "a certificate and its key are half written": {
        "refresh/test_mounts.py": ("test_a_pair_without_one_half_is_not_taken",),
        "tls/test_reload_bad.py": (),
    },
}


def names_in(file: Path) -> Iterator[str]:
    """The names of the tests of a file."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_its_tests(row: str) -> None:
    for name, wanted in ROWS[row].items():
        found = set(names_in(HERE.parent / name if "/" in name else HERE / name))
        assert found
        assert set(wanted) - found == set()


def test_every_test_belongs_to_a_row() -> None:
    known = {(name, one) for files in ROWS.values() for name, tests in files.items() for one in tests}
    files = [one for one in sorted(HERE.glob("test_*.py")) if one != Path(__file__)]
    assert {(file.name, one) for file in files for one in names_in(file)} - known == set()
