# Tests without the program that they test. First they run with stand-ins for what the program defines: a call of a stand-in is noted as text, and an assertion that compares one
# with a value becomes a test (call, comparison, value) that can be judged elsewhere. Where an assertion does something else with a result it stays "whole": then the tests run a
# second time, in another sandbox than the program's, with the plain values that the calls have given.
import ast
import builtins
import random

MOST = 10000
WRAPPERS = ["set", "frozenset", "sorted", "list", "tuple", "dict", "len", "sum", "str", "repr", "int", "float", "bool", "max", "min"]


class NotApart(Exception):
    """A result is needed to go on."""


class Raised(Exception):
    """The program raised where the test calls it."""


calls, tests, whole, answers = [], [], 0, None


def refuse(*_, **__):
    raise NotApart


class Unknown:
    """What the program defines, or what came of it: text that its own sandbox can evaluate."""

    def __init__(self, text):
        object.__setattr__(self, "_text", text)

    def __call__(self, *arguments, **named):
        text = self._text + "(" + ", ".join([shown(a) for a in arguments] + [name + "=" + shown(a) for name, a in named.items()]) + ")"
        if len(calls) >= MOST:
            raise NotApart("more than %d calls" % MOST)
        calls.append(text)
        return Unknown(text) if answers is None else answered(text)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Unknown(self._text + "." + name)

    def __getitem__(self, key):
        return Unknown(self._text + "[" + shown(key) + "]")

    def __eq__(self, other):
        return Comparison("eq", self, other)

    def __ne__(self, other):
        return Comparison("ne", self, other)

    def __sub__(self, other):
        return Difference(self, other)

    def __rsub__(self, other):
        return Difference(self, other)

    def __round__(self, digits=None):
        return Unknown("round(" + self._text + ", " + shown(digits) + ")")

    __setattr__ = __setitem__ = __delitem__ = __bool__ = __iter__ = __len__ = __contains__ = __float__ = __int__ = __index__ = __complex__ = __hash__ = __str__ = __repr__ = __format__ = refuse
    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __neg__ = __pos__ = __abs__ = __invert__ = __enter__ = __next__ = refuse


class Comparison:
    def __init__(self, operation, unknown, value, tolerance=None):
        self.operation, self.unknown, self.value, self.tolerance = operation, unknown, value, tolerance

    __bool__ = __eq__ = __ne__ = __hash__ = __iter__ = refuse


class Difference:
    """Of a result and a number; only how far they are apart can be asked."""

    def __init__(self, unknown, value, absolute=False):
        if type(value) not in (int, float):
            raise NotApart
        self.unknown, self.value, self.absolute = unknown, value, absolute

    def __abs__(self):
        return Difference(self.unknown, self.value, True)

    def __lt__(self, other):
        return self.near("below", other)

    def __le__(self, other):
        return self.near("within", other)

    def near(self, operation, other):
        if not self.absolute or type(other) not in (int, float):
            raise NotApart
        return Comparison(operation, self.unknown, self.value, other)

    __bool__ = __eq__ = __ne__ = __hash__ = __gt__ = __ge__ = __float__ = __round__ = refuse


def shown(value):
    """An expression with this value."""
    if type(value) is Unknown:
        return value._text
    if value is None or type(value) in (bool, int, str, bytes, range):
        return repr(value)
    if type(value) is float:
        return repr(value) if value - value == 0 else "float('%r')" % value
    if type(value) is complex:
        return "complex(%s, %s)" % (shown(value.real), shown(value.imag))
    if type(value) is list:
        return "[" + ", ".join(map(shown, value)) + "]"
    if type(value) is tuple:
        return "(" + "".join(shown(v) + ", " for v in value) + ")"
    if type(value) is dict:
        return "{" + ", ".join(shown(k) + ": " + shown(v) for k, v in value.items()) + "}"
    if type(value) in (set, frozenset, bytearray):
        return type(value).__name__ + "(" + shown(list(value)) + ")"
    raise NotApart("a call is given a %s" % type(value).__name__)


def answered(text):
    given = answers.get(text)
    if not given:
        raise Raised
    value = given.pop(0) if len(given) > 1 else given[0]
    if value is Raised:
        raise Raised
    return Unknown(text) if value is Unknown else value


def judge(result, negated):
    global whole
    if answers is not None:
        tests.append(bool(result) != negated)
    elif type(result) is Unknown:
        add(result, "false" if negated else "true", "")
    elif type(result) is Comparison and not (negated and result.tolerance is not None) and type(result.value) is not Unknown:
        told = plain(result.value)
        operation = {"eq": "ne", "ne": "eq", "is": "is-not", "is-not": "is"}[result.operation] if negated else result.operation
        if '["o",' in told:
            keep()
        else:
            add(result.unknown, operation, ',"value":' + told + ("" if result.tolerance is None else ',"tolerance":' + plain(result.tolerance)))
    else:
        keep()


def add(unknown, operation, more):
    tests.append('{"call":%s,"operation":"%s"%s}' % (quoted(unknown._text), operation, more))
    if len(tests) > MOST:
        raise NotApart("more than %d assertions" % MOST)


def keep():
    global whole
    whole += 1
    tests.append('{"operation":"whole"}')


def failed(error):
    if answers is None:
        keep()
    else:
        tests.append(False)


def identical(left, right, negated):
    if answers is None and type(right) is Unknown:
        left, right = right, left
    if answers is None and type(left) is Unknown:
        if right is not None and type(right) is not bool:
            raise NotApart
        return Comparison("is-not" if negated else "is", left, right)
    return (left is right) != negated


class Assertions(ast.NodeTransformer):
    """An assertion becomes a call that judges it, and that goes on where it fails."""

    def visit_Assert(self, node):
        test, negated = node.test, False
        while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, negated = test.operand, not negated
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and not negated:
            return [part for value in test.values for part in self.listed(ast.Assert(test=value, msg=None))]
        if isinstance(test, ast.Constant) and bool(test.value) != negated:
            return ast.Pass()
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Is, ast.IsNot)):
            test = call("__identical", [test.left, test.comparators[0], ast.Constant(isinstance(test.ops[0], ast.IsNot))])
        body = [ast.Expr(call("__judge", [test, ast.Constant(negated)]))]
        handler = ast.ExceptHandler(type=ast.Name("__Exception", ast.Load()), name="__error", body=[ast.Expr(call("__failed", [ast.Name("__error", ast.Load())]))])
        return ast.Try(body=body, handlers=[handler], orelse=[], finalbody=[])

    def listed(self, node):
        made = self.visit_Assert(node)
        return made if isinstance(made, list) else [made]


def call(name, arguments):
    return ast.Call(func=ast.Name(name, ast.Load()), args=arguments, keywords=[])


def stored(tree):
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names


def loaded(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def wrapper(name):
    real = getattr(builtins, name)

    def wrapped(*arguments, **named):
        if len(arguments) == 1 and not named and type(arguments[0]) is Unknown:
            return Unknown(name + "(" + arguments[0]._text + ")")
        return real(*arguments, **named)
    return wrapped


def cautious(name):
    real = getattr(builtins, name)

    def careful(*arguments):
        if any(type(argument) is Unknown for argument in arguments):
            raise NotApart
        return real(*arguments)
    return careful


def run(kind, before, entry, *texts):
    names = {"__name__": "tests", "__judge": judge, "__failed": failed, "__identical": identical, "__Exception": Exception}
    trees = [Assertions().visit(ast.parse(text)) for text in texts]
    known = set(dir(builtins)) | {"__name__", "__judge", "__failed", "__identical", "__Exception", "__error"}
    if kind == "function":
        known |= prelude(before, names)
        names[entry] = Unknown(entry)
    else:
        tree = ast.parse(before)
        if loaded(tree) - stored(tree) - known:
            # It needs the program: its sandbox runs it, and what it makes is unknown here.
            names.update((name, Unknown(name)) for name in stored(tree))
        else:
            exec(compile(tree, "setup", "exec"), names)
        known |= stored(tree)
    taken = set().union(*map(stored, trees)) | set(names)
    if answers is None:
        names.update((name, wrapper(name)) for name in WRAPPERS if name not in taken)
        names.update((name, cautious(name)) for name in ("isinstance", "type", "callable", "hasattr", "id") if name not in taken)
    for tree in trees:
        names.update((name, Unknown(name)) for name in loaded(tree) - known - taken)
    random.seed(0)
    for tree in trees:
        exec(compile(ast.fix_missing_locations(tree), "tests", "exec"), names)
    if kind == "function":
        names["check"](Unknown(entry))


def prelude(before, names):
    """A prompt's own functions and imports; the one to complete has only its docstring."""
    try:
        tree = ast.parse(before)
        exec(compile(tree, "prompt", "exec"), names)
        return stored(tree)
    except Exception:
        return set()


def main():
    global answers
    out = os.dup(1)
    os.dup2(2, 1)
    given, *what = pieces()
    if given:
        answers = eval(given, {"Raised": Raised, "Unknown": Unknown})
    try:
        run(*what)
    except BaseException as error:
        if answers is None:
            say('{"refused":%s}' % quoted("%s: %s" % (type(error).__name__, error)), out)
            return
    if answers is None:
        say('{"tests":[%s],"calls":[%s]}' % (",".join(tests), ",".join(map(quoted, calls)) if whole else ""), out)
    else:
        say('{"results":[%s]}' % ",".join("true" if passed else "false" for passed in tests), out)


main()
