"""What the frames of an error show: the last place where a value may hide."""

from traceback import walk_tb


def shown_by(error: BaseException) -> str:
    """All that a debugger would show of an error and of our frames in its traceback."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__) if frame.f_globals["__name__"].startswith("wellkept")]
    assert frames, "the error was not raised by wellkept"
    return repr([str(error), vars(error), error.__cause__, error.__context__, *(frame.f_locals for frame in frames)])
