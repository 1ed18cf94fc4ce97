"""The login at a source, and what was leased under it; with a clock that is moved by hand."""

from tests.refresh.sources import Driven, Holder, LoggingIn, in_threads, join, listening
from wellkept.errors import Denied, Unreachable
from wellkept.events import BUS, Event, Topic
from wellkept.secret import State

DOWN = Unreachable("store: no answer")


def followed(source: LoggingIn, *, drain_s: float = 10.0) -> tuple[Driven, Holder]:
    """An engine that knows the source's login, too: it looks at it with the first request."""
    driven = Driven(drain_s=drain_s)
    holder = driven.follow(source)
    assert driven.engine.refresh(holder)
    return driven, holder


def test_a_login_is_renewed_in_time_and_none_is_made_beside_it() -> None:
    source = LoggingIn(100.0, 200.0)
    driven, _ = followed(source)
    driven.run_for(2000)
    assert 2000 / 150 <= source.login_renewals <= 2000 / 120 + 1
    assert (source.logins, source.logged_out) == (["login-1"], [])
    (status,) = driven.engine.status().sources
    assert status.login_s is not None
    assert status.login_s > 40


def test_a_login_that_comes_to_its_end_is_handed_over_with_all_that_hangs_on_it() -> None:
    source = LoggingIn(100.0, 200.0)
    driven, holder = followed(source)
    source.login_renewal_s = 50.0
    with listening(Topic.LOGGED_IN, Topic.GONE, Topic.STALE, Topic.EXPIRED) as heard:
        driven.run_for(150)
        source.login_renewal_s = None
        held = [one.login for one in source.live.values()]
        assert (source.logins, "login-2" in held) == (["login-1", "login-2"], True)
        driven.run_for(20)
    assert source.logged_out == ["login-1"]
    assert {one.login for one in source.live.values()} == {"login-2"}
    assert holder.state is State.FRESH
    assert [one.topic for one in heard] == [Topic.LOGGED_IN]


def test_a_login_that_the_source_made_by_itself_is_noticed_and_what_hangs_on_the_old_one_is_issued_anew() -> None:
    source = LoggingIn(100.0, 1000.0)
    driven, holder = followed(source)
    before = len(holder.values)
    source.log_in()
    driven.run_for(80)
    assert len(holder.values) == before + 1
    assert {one.login for one in source.live.values()} == {"login-2"}


def test_a_login_that_cannot_be_made_again_is_one_event_and_what_it_gave_is_served_to_its_end() -> None:
    source = LoggingIn(100.0, 200.0)
    driven, holder = followed(source)
    source.login_renewal_s, source.cannot_log_in = 60.0, Denied("store: its secret-id is used up")
    with listening(Topic.STALE, Topic.LOGGED_IN) as heard:
        driven.run_for(600)
        assert [one.topic for one in heard] == [Topic.STALE]
        assert holder.state is State.FRESH, "its leases are still renewed: the source has not refused that"
        source.login_renewal_s = source.cannot_log_in = None
        driven.run_for(60)
    assert heard[-1].topic is Topic.LOGGED_IN


def test_a_login_is_not_ended_while_something_that_is_served_hangs_on_it() -> None:
    source = LoggingIn(500.0, 200.0)
    driven, holder = followed(source)
    source.login_renewal_s = 100.0
    source.trouble = DOWN  # nothing can be issued anew
    driven.run_for(200)
    assert len(source.logins) > 1
    assert holder.state is State.STALE
    held = source.live.get("lease-2")
    assert held is not None, "the login was ended, and with it the lease that is served"
    source.trouble = source.login_renewal_s = None
    driven.run_for(200)
    assert "login-1" in source.logged_out
    assert holder.standing()[0] is State.FRESH


def test_a_login_that_the_source_was_given_and_does_not_end_is_left_alone() -> None:
    class Given(LoggingIn):
        def login(self) -> None:
            return None

    source = Given(100.0)
    driven, holder = followed(source)
    driven.run_for(2000)
    assert (source.login_renewals, source.logged_out, holder.state) == (0, [], State.FRESH)


def test_a_login_that_cannot_be_looked_up_hinders_nothing() -> None:
    class Mute(LoggingIn):
        looks = 0

        def login(self) -> None:
            self.looks += 1
            raise DOWN

    source = Mute(100.0)
    driven, holder = followed(source)
    driven.run_for(600)
    assert (holder.state, source.looks <= 600 / 30 + 2) == (State.FRESH, True)


def test_two_that_refresh_at_one_moment_log_in_once() -> None:
    source = LoggingIn(10_000.0, 200.0)
    driven, one = followed(source)
    other = driven.follow(source, "other")
    source.cannot_log_in = DOWN
    source.login_renewal_s = 100.0
    driven.run_for(160)  # the login is truncated, and another one is due
    source.cannot_log_in = None
    driven.clock.advance(60)
    source.slow.clear()
    threads = in_threads(1, lambda: driven.engine.refresh(one))
    assert source.logging_in.acquire(timeout=30)
    threads += in_threads(1, lambda: driven.engine.refresh(other))
    twice = source.logging_in.acquire(timeout=1)
    source.slow.set()
    join(threads)
    assert not twice
    assert len(source.logins) == 2


def test_at_the_exit_logins_are_ended_and_leases_that_outlive_them() -> None:
    source = LoggingIn(100.0, 200.0)
    driven, _ = followed(source)
    driven.engine.let_go(lambda: False)
    assert source.logged_out == ["login-1"]
    assert "lease-2" not in source.revoked, "it ended with its login"
    assert not source.live


def test_when_it_is_late_nothing_is_ended() -> None:
    source = LoggingIn(100.0, 200.0)
    driven, _ = followed(source)
    driven.engine.let_go(lambda: True)
    assert (source.logged_out, source.revoked) == ([], [])


def test_what_a_forked_process_may_have_inherited_is_not_ended() -> None:
    source = LoggingIn(100.0, 200.0)
    driven, holder = followed(source)
    driven.engine.share()
    driven.engine.let_go(lambda: False)
    assert (source.logged_out, source.revoked) == ([], [])
    driven.clock.advance(1)
    assert driven.engine.refresh(holder)
    driven.engine.let_go(lambda: False)
    assert source.revoked == ["lease-3"], "what it obtained since is its own"


def test_a_login_that_the_source_made_by_itself_before_a_fork_is_not_ended_by_who_finds_it_later() -> None:
    source = LoggingIn(100.0, 7200.0)
    driven, _ = followed(source)
    source.log_in()  # its token was refused; nobody has looked since
    driven.engine.share()
    driven.run_for(120)
    driven.engine.let_go(lambda: False)
    assert source.logged_out == []


def test_what_is_handed_on_at_a_fork_is_the_other_process_s_too() -> None:
    source = LoggingIn(100.0, 7200.0)
    driven, holder = followed(source)

    def fork(event: Event) -> None:
        if event.topic is Topic.CHANGED:
            driven.engine.share()

    stop = BUS.subscribe(fork)
    driven.clock.advance(1)
    assert driven.engine.refresh(holder)
    stop()
    driven.engine.let_go(lambda: False)
    assert holder.values[-1] == {"username": "user-3", "password": "CANARY-password-3"}
    assert "lease-3" not in source.revoked
