"""Remember what was computed of an object that is never changed: parsed once, hashed once, until it is replaced."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Of = TypeVar("Of")


def remembered(size: int) -> Callable[[Callable[Concatenate[Of, P], T]], Callable[Concatenate[Of, P], T]]:
    """For a pure function of an object that nobody changes, and of hashable arguments: the last `size` results.

    The object is known by its identity, so that it need not be hashable, nor be compared.
    """

    def decorate(compute: Callable[Concatenate[Of, P], T]) -> Callable[Concatenate[Of, P], T]:
        kept: OrderedDict[Hashable, tuple[Of, T]] = OrderedDict()

        @wraps(compute)
        def ask(of: Of, /, *args: P.args, **kwargs: P.kwargs) -> T:
            key = (id(of), args, *kwargs.items())
            found: Any = kept.get(key)
            if found is not None:
                return found[1]  # type: ignore[no-any-return]
            result = compute(of, *args, **kwargs)
            kept[key] = of, result  # holds the object, so that nothing else gets its id meanwhile
            if len(kept) > size:
                kept.popitem(last=False)
            return result

        return ask

    return decorate
