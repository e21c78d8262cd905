"""The Jinja environment for templates from the network: what it knows, and its budget of steps.

Statements that define, include or recurse do not exist here. Each operation takes from the
budget what it may cost; an empty budget ends the template with BoundError.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, cast

from jinja2 import Template, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from devices.ecosystems.homeassistant import functions
from devices.ecosystems.homeassistant.functions import BoundError, Value, bounded
from devices.ecosystems.homeassistant.templates import STEPS_A_TEMPLATE

# What devices really send takes less than a hundred.
STEPS = STEPS_A_TEMPLATE
_CHARACTERS_A_STEP = 256
_MAX_EXPONENT, _MAX_BASE = 10, 1_000_000

_ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign),
    *(nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword),
    *(nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr),
    *(nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Neg, nodes.Pos, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv),
    *(nodes.Mod, nodes.Pow),
)
_LOOP, _JOIN, _NEW = "_each", "_joined", "_new"
_NUMERIC = {"-": operator.sub, "/": operator.truediv, "//": operator.floordiv}


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for one event loop: a template runs to its end before the next begins.

    `now` tells the time to templates that ask for it.
    """

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def __init__(self, now: Callable[[], Any]) -> None:
        # Without the optimizer, which would work out constants before there is a budget.
        super().__init__(optimized=False, cache_size=0)
        known = {name: self._charged(f) for name, f in functions.FILTERS.items()}
        self.filters = known | {_LOOP: self._each, _NEW: self._new}
        self.filters[_JOIN] = self._charged(functions.joined)
        self.globals = {name: self._charged(f) for name, f in functions.GLOBALS.items()}
        self.globals["now"] = now
        self.tests["match"] = self._charged(functions.regex_match)
        self.tests["search"] = self._charged(functions.regex_search)
        self._left = 0

    @property
    def left(self) -> int:
        """What is left of the budget, less than 0 when it was not enough."""
        return self._left

    def prepare(self, source: str) -> Template:
        """The compiled template. Raises jinja2.TemplateError, BoundError, RecursionError, ..."""
        self._left = STEPS
        tree = self.parse(source)
        _check(tree)
        _rewrite(tree)
        code = self.compile(tree)
        return Template.from_code(self, code, self.globals)

    def pieces(
        self, template: Template, variables: Mapping[str, Value], steps: int = STEPS
    ) -> Iterator[str]:
        """What it prints, piece by piece. Raises as `prepare`, and what its filters raise."""
        self._left = steps
        return template.generate(**variables)

    # --- what Jinja asks -----------------------------------------------------------------

    def is_safe_attribute(self, obj: Value, attr: str, value: Value) -> bool:  # noqa: ARG002 -- Jinja's signature
        """Only what is on the list."""
        return attr in functions.METHODS.get(type(obj).__name__, ())

    def wrap_str_format(self, value: Value) -> None:  # noqa: ARG002 -- Jinja's signature
        """`str.format` is an attribute like the others, and is not on the list."""
        return

    def getattr(self, obj: Value, attribute: str) -> Value:
        """A key of a mapping before a method of the same name."""
        self._take(1)
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def getitem(self, obj: Value, argument: Value) -> Value:
        """As Jinja does it, at the price of a step."""
        self._take(1)
        return super().getitem(obj, argument)

    def call(__self, __context: Context, __obj: Value, /, *args: Value, **kwargs: Value) -> Value:  # noqa: N805 -- Jinja's signature: templates may name an argument `self`
        """A call, with the methods that can grow replaced by bounded ones."""
        __self._take(1 + _cost(getattr(__obj, "__self__", None)))
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            return functions.replaced(owner, *args[:2])
        if name == "strftime":
            return functions.strftime(owner, *args)
        return bounded(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Value, right: Value) -> Value:  # noqa: ARG002 -- Jinja's signature
        """Arithmetic on numbers, `+` also on texts and lists, `%` also for formats."""
        self._take(1 + _cost(left) + _cost(right))
        if operator == "%" and isinstance(left, str):
            return functions.formatted(left, right)
        if operator == "+":
            return self._new(bounded(left) + bounded(right))
        if not (_is_number(left) and _is_number(right)):
            raise BoundError("only numbers are reckoned with")
        return bounded(_reckoned(operator, bounded(left), bounded(right)))

    # --- the budget ----------------------------------------------------------------------

    def _take(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise BoundError("the template takes too long")

    def _charged(self, function: Callable[..., Value]) -> Callable[..., Value]:
        @wraps(function)
        def charged(*args: Value, **kwargs: Value) -> Value:
            self._take(1 + sum(map(_cost, args)))
            return bounded(function(*args, **kwargs))

        return charged

    def _each(self, values: Value, steps: int) -> list[Value]:
        """What a loop goes through; `steps` is the price of its body."""
        found = list(bounded(values))
        self._take(len(found) * steps)
        return found

    def _new(self, value: Value) -> Value:
        """A list or mapping that the template makes: it may hold the same thing many times."""
        self._take(functions.weight(value) // _CHARACTERS_A_STEP)
        return bounded(value)


def _check(tree: nodes.Template) -> None:
    for node in (tree, *tree.find_all(nodes.Node)):
        if type(node) not in _ALLOWED and not isinstance(node, nodes.EvalContextModifier):
            raise BoundError(f"{type(node).__name__} is not for templates")
        if isinstance(node, nodes.For) and node.recursive:
            raise BoundError("a loop must not call itself")


def _rewrite(tree: nodes.Template) -> None:
    """Loops, concatenations and new lists go through the budget."""
    for loop in list(tree.find_all(nodes.For)):
        price = nodes.Const(sum(1 for _ in loop.find_all(nodes.Node)))
        loop.iter = _filtered(loop.iter, _LOOP, price)
    _guard(tree)


def _guard(node: nodes.Node) -> None:
    """From the leaves up, so that what is put in is not gone through again."""
    for child in node.iter_child_nodes():
        _guard(child)
    for name, value in list(node.iter_fields()):
        if isinstance(value, list):
            setattr(node, name, [_guarded(each) for each in value])
        else:
            setattr(node, name, _guarded(value))


def _guarded(value: Any) -> Any:  # noqa: ANN401 -- a node, or a field that is none
    if isinstance(value, nodes.Concat):
        return _filtered(nodes.List(value.nodes), _JOIN)
    is_new = isinstance(value, nodes.List | nodes.Dict)
    if is_new or (isinstance(value, nodes.Tuple) and value.ctx == "load"):
        return _filtered(value, _NEW)
    return value


def _filtered(value: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", value), name, list(args), [], None, None)


def _reckoned(sign: str, left: Value, right: Value) -> Value:
    if sign == "**":
        if abs(left) > _MAX_BASE or abs(right) > _MAX_EXPONENT:
            raise BoundError("a number became too large")
        return left**right
    if sign == "*":
        return left * right
    return left % right if sign == "%" else _NUMERIC[sign](left, right)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float)


def _cost(value: Value) -> int:
    size = len(value) if isinstance(value, str | list | tuple | dict | range) else 0
    return size // _CHARACTERS_A_STEP
