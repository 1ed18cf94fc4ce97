"""Sinks of the leak matrix: serialisers, copies, and models of other libraries."""

import copy
import dataclasses
import inspect
import json
import pickle  # noqa: TID251 what is pickled here is looked at, and never loaded

from tests.leaks.logs import logged
from tests.leaks.sinks import Foreign, Held, Means, object_sink, package, use_site

GROUP = "serialise"


@dataclasses.dataclass
class Holder:
    """A record that holds a value."""

    password: object


def _model(x: object, **options: object) -> Foreign:
    """A pydantic model with a field of the type of x."""
    return package("pydantic").create_model(
        "Login", __config__={"arbitrary_types_allowed": True, **options}, password=(type(x), ...), port=(int, 5432)
    )


def _refused(x: object, **options: object) -> Foreign:
    """The error of a pydantic model that is given raw text, and too little."""
    pydantic = package("pydantic")
    model = pydantic.create_model("Login", __config__=options, password=(str, ...), port=(int, ...))
    try:
        model.model_validate({"password": x})
    except pydantic.ValidationError as error:
        return error
    raise AssertionError


@object_sink(GROUP, "`json.dumps(x)`")
def _json(x: Held) -> str:
    return json.dumps({"password": x}, ensure_ascii=False)


@object_sink(GROUP, "`json.dumps(x, default=str)`")
def _json_str(x: Held) -> str:
    return json.dumps({"password": x}, default=str, ensure_ascii=False)


@object_sink(GROUP, "`json.dumps(x, default=vars)`")
def _json_vars(x: Held) -> str:
    return json.dumps({"password": x}, default=vars, ensure_ascii=False)


@object_sink(GROUP, "`pickle.dumps(x)`")
def _pickle(x: Held) -> bytes:
    return pickle.dumps(x)


@object_sink(GROUP, "`x.__reduce_ex__(2)`")
def _reduce(x: Held) -> str:
    return repr(x.__reduce_ex__(2))


@object_sink(GROUP, "`copy.copy(x)`")
def _copy(x: Held) -> str:
    return repr(copy.copy(x))


@object_sink(GROUP, "`copy.deepcopy([x])`")
def _deepcopy(x: Held) -> str:
    return repr(copy.deepcopy([x]))


@object_sink(GROUP, "`vars(x)`, or the text itself where it has none")
def _vars(x: Held) -> str:
    return repr(getattr(x, "__dict__", x))


@object_sink(GROUP, "`x.__getstate__()`")
def _state(x: Held) -> str:
    return repr(x.__getstate__())


@object_sink(GROUP, "`inspect.getmembers(x)`")
def _members(x: Held) -> str:
    return repr(inspect.getmembers(x))


@object_sink(GROUP, "`repr` of `dataclasses.asdict`")
def _asdict(x: Held) -> str:
    return repr(dataclasses.asdict(Holder(x)))


@object_sink(GROUP, "`dataclasses.asdict`, then `json.dumps(default=vars)`")
def _asdict_json(x: Held) -> str:
    return json.dumps(dataclasses.asdict(Holder(x)), default=vars, ensure_ascii=False)


@object_sink(GROUP, "`repr` of `attrs.asdict`")
def _attrs(x: Held) -> str:
    attrs = package("attrs")
    return repr(attrs.asdict(attrs.make_class("Login", ["password"])(x)))


@object_sink(GROUP, "`repr` of a pydantic model")
def _pydantic_repr(x: Held) -> str:
    return repr(_model(x)(password=x))


@object_sink(GROUP, "pydantic `model_dump()`")
def _pydantic_dump(x: Held) -> str:
    return repr(_model(x)(password=x).model_dump())


@object_sink(GROUP, "pydantic `model_dump_json()`")
def _pydantic_json(x: Held) -> str:
    return str(_model(x)(password=x).model_dump_json())


@object_sink(GROUP, "a pydantic model, pickled")
def _pydantic_pickle(x: Held) -> bytes:
    state = _model(x)(password=x).__getstate__()  # a class that was made in a function cannot be pickled by name
    return pickle.dumps(state)


@object_sink(GROUP, "`str` of a pydantic error with `hide_input_in_errors`")
def _hidden_input(x: Held) -> str:
    return str(_refused(x, hide_input_in_errors=True))


@object_sink(GROUP, "`yaml.dump(x)`")
def _yaml(x: Held) -> str:
    return str(package("yaml").dump({"password": x}, allow_unicode=True))


@object_sink(GROUP, "`orjson.dumps(x, default=str)`")
def _orjson(x: Held) -> bytes:
    return bytes(package("orjson").dumps({"password": x}, default=str))


@use_site(GROUP, "`str` of a pydantic error: revealed text, and another field is missing", closed_by=Means.REPR)
def _pydantic_error(text: str) -> str:
    return str(_refused(text))


@use_site(GROUP, "`json()` of that error, logged", closed_by=Means.FORMAT)
def _pydantic_error_json(text: str) -> str:
    return logged(_refused(text).json())


@use_site(GROUP, "`repr` of its `errors()`, with `hide_input_in_errors`", closed_by=Means.REPR)
def _pydantic_errors(text: str) -> str:
    return repr(_refused(text, hide_input_in_errors=True).errors())


@use_site(GROUP, "a pydantic validator that raises `ValueError(value)`, logged", closed_by=Means.FORMAT)
def _pydantic_validator(text: str) -> str:
    pydantic = package("pydantic")

    def refuse(value: str) -> None:
        raise ValueError(value)

    checked = pydantic.create_model(
        "Login", password=(str, ...), __validators__={"refuse": pydantic.field_validator("password")(refuse)}
    )
    try:
        checked(password=text)
    except pydantic.ValidationError as error:
        return logged(str(error))
    return "accepted"
