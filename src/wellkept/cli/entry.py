"""Where every command line comes in: a plain `run` the quick way, all else by click; what becomes of errors."""

import gc
from collections.abc import Callable, Sequence
from importlib import import_module

from wellkept.cli import render
from wellkept.cli.run_line import read_line
from wellkept.errors import EXIT_RUN_FAILED, EXIT_USAGE, WellkeptError


def run(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit code: 0 fine, 1 findings or missing values, 2 wrong use or cannot tell,
        69 unreachable, 77 denied, 125 a failure of `run` itself.
    """
    line = read_line(arguments[1:]) if arguments[:1] == ["run"] else None
    if line is None:
        app = import_module("wellkept.cli.app")  # by name: click takes 25 ms, and a plain run needs none
        code: int = app.run(arguments)
        return code
    # Another program takes this process over in a moment, and what is made until then stays: the
    # collector would only look at all of it again and again (3 ms for 10 secrets, 9 ms for 100).
    gc.disable()
    return guarded(lambda: import_module("wellkept.cli.running").run_child(line), is_run=True)


def guarded(call: Callable[[], object], *, is_run: bool) -> int:
    """Call what a command does, and make an exit code and a message of whatever it raises."""
    try:
        code = call()
    except WellkeptError as error:
        render.failure(error)
        return EXIT_RUN_FAILED if is_run else error.exit_code
    except BrokenPipeError:
        return 141  # 128 + SIGPIPE
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT
    except Exception as error:  # noqa: BLE001 an outer edge: a foreign error's text may hold a value
        return _fault(error, is_run=is_run)
    return code if isinstance(code, int) else 0


def _fault(error: Exception, *, is_run: bool) -> int:
    """Report an error that nobody expected by its type and place, without its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    render.talk(f"error: {type(error).__name__}{place}")
    render.talk("hint: this is a fault in wellkept, or in the module that was named: report it")
    return EXIT_RUN_FAILED if is_run else EXIT_USAGE
