"""What clients still get when their CA is withdrawn."""

from harness import Row
from tls_programs import run_program


def measure() -> list[Row]:
    """Withdraw it, for each `onTrustChange`.

    Raises:
        RuntimeError: no session could be resumed beforehand: then it says nothing that none can be afterwards.
    """
    told = run_program("tls_withdrawn")
    if any(one["resumed_before"] != len(one["answers"]) for one in told):
        raise RuntimeError("sessions are not resumed while the CA is trusted")
    by_mode = {one["mode"]: one for one in told}
    asked = told[0]["asked"]
    answers = {mode: one["answers"] for mode, one in by_mode.items()}
    missed = sum(asked - count for one in told for count in one["others"])
    return [
        Row(
            f"CA withdrawn: old clients let in, of {sum(2 * len(one) for one in answers.values())}, half by resumption",
            sum(one["let_in"] for one in told),
            "",
            most=0,
        ),
        Row(f"… an open connection, `keep`: requests of {asked} unanswered", asked - min(answers["keep"]), "", most=0),
        Row("… an open connection, `drain`: requests still answered", max(answers["drain"]), "", most=1),
        Row("… an open connection, `close`: requests still answered", max(answers["close"]), "", most=0),
        Row("… open connections of other CAs: requests unanswered", missed, "", most=0),
    ]
