"""How tests look in each language, as tables of patterns over code without comments and strings. Pure."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from msgspec import Struct

from pipelines.patch import code
from pipelines.patch.leaving import Leaving, by_braces, by_indent


class Marker(Enum):
    """What makes a test count for less; its value says so, after the line's number."""

    SKIPPED = "skips a test or lets it fail"
    ALONE = "lets a runner leave out all other tests"
    RETRIED = "runs a test again until it passes"
    TRIVIAL = "asserts what is always true"
    CUT_SHORT = "ends a test before its end"
    UNREACHED = "keeps a part of a test from being run"
    SWALLOWED = "swallows the failure of what it tries"


class Block(Enum):
    """How a test's body is bounded."""

    INDENT = "indent"
    CALL = "call"
    BRACES = "braces"


class Language(Struct, frozen=True, kw_only=True):
    """The patterns of a language."""

    name: str
    suffixes: tuple[str, ...]
    scanner: re.Pattern[str]
    test: re.Pattern[str]
    """Where a test begins. Its group `name` is a name, or a string's number."""
    block: Block
    assertion: re.Pattern[str]
    table: re.Pattern[str] | None
    """Where a table of cases begins, before the test or as a part of its beginning."""
    row: re.Pattern[str] | None
    """One case each, where cases don't stand in a list."""
    markers: dict[Marker, re.Pattern[str]]
    leaving: Leaving
    """Finds where a test leaves before what it asserts."""
    bare_return: re.Pattern[str] | None = None
    """What cuts a helper short that stands outside of any test."""


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.VERBOSE | re.MULTILINE)


PYTHON: Final = Language(
    name="Python",
    suffixes=(".py",),
    scanner=code.PYTHON,
    test=_pattern(r"^[ \t]* (?:async\ +)? def\ + (?P<name> test\w* ) [ \t]* \("),
    block=Block.INDENT,
    assertion=_pattern(
        r"""\bassert\b (?=[\s(]) | \bassert\w+ [ ]* \( | \bpytest\.(?:raises|warns|deprecated_call|fail)\b
        | (?<![\w.])expect [ ]* \("""
    ),
    table=_pattern(r"\bparametrize [ ]* (?=\()"),
    row=None,
    markers={
        Marker.SKIPPED: _pattern(
            r"""\b(?:pytest|mark|self|cls|unittest)\.skip\b (?! [ ]* =[^=] ) | @[\w.]*\bskip\b | (?<![\w.])skip [ ]* \(
            | \bimport\b [^\n]{0,200} \bskip\b
            | (?<!\))\.skip [ ]* \( \s* (?:\) | "\d+" | reason\b | allow_module_level\b)
            | (?<!\)\.) \b(?:skipif|skipIf|skipUnless|skipTest|SkipTest|xfail|importorskip|expectedFailure)\b
              (?! [ ]* =[^=] )
            | \b__test__ [ ]* = [ ]* False\b | \bcollect_ignore"""
        ),
        Marker.RETRIED: _pattern(
            r"\bmark\.flaky\b | @[\w.]*\bflaky\b | \bimport\b [^\n]{0,200} \bflaky\b | (?<![\w.])flaky [ ]* \("
        ),
        Marker.TRIVIAL: _pattern(
            r"""\bassert [ ]+ \(? (?:True|not[ ](?:False|None|0)|[1-9]\d*|"\d+") \)? [ \t]* (?:$|,)
            | \bassert [ ]+ (\d+) [ ]*==[ ]* \1 [ \t]* (?:$|,) | \bassert\b [^\n]{0,200} \bor[ ](?:1|not[ ]False)[ \t]*$
            | \bassert [ ]* \( (?: [^(),\n] | \([^()\n]{0,100}\) ){1,200} , [^()\n]{0,200} \) [ \t]* $
            | \bassert\b [^\n]{0,200} \bor[ ]True\b | \bassertTrue\([ ]*True\b | \bassertFalse\([ ]*False\b
            | \bassertEqual\([ ]*(\d+|True|None)[ ]*,[ ]*\2[ ]*\)"""
        ),
        Marker.CUT_SHORT: _pattern(r"\bos\._exit\b | \bpytest\.exit\b"),
        Marker.UNREACHED: _pattern(
            r"""\b(?:if|while) [ ]* \(? [ ]* (?:False|None|0|not[ ]True) [ ]* \)? [ ]* (?::|and\b)
            | \bfor [ ]+ \w+ [ ]+ in [ ]+ (?:\[\]|\(\)|range\([ ]*0[ ]*\)) [ ]* :"""
        ),
        Marker.SWALLOWED: _pattern(
            r"""\bexcept\b [^:\n]{0,200} : \s{0,200} (?:pass\b|\.\.\.|return\b|continue\b|break\b|print [ ]*\(|log\w*\.)
            | \bexcept [^:\n]{0,100} \b(?:AssertionError|BaseException)\b | \bsuppress [ ]* \(
            | \b(?:raises|assertRaises) [ ]* \( [ ]* (?:AssertionError|BaseException)\b"""
        ),
    },
    leaving=by_indent,
    bare_return=_pattern(r"^[ \t]+ return [ \t]* $"),
)

_CALLED = r"(?<![\w.$])"

_OF_TESTS = r"\b(?:\w*(?:[tT]est|[dD]escribe|[sS]uite|[sS]pecify)|it|context|ctx|this|t|base) (?:\.\w+){0,4}?"
"""What a runner gives to name tests by, also under a name of the file's own."""
_BODY = r"(?: async\b | function\b | \(? [\w\s,{}]{0,100} \)? [ ]* => )"

_TELLS = r"\b(?:throw|expect|assert\w*|Assert|fail|Fail|reject|done)\b | \.(?:push|[aA]dd|append)\( | [^=!<>]=[^=>]"
_QUIET = rf"(?! [^{{}}]{{0,400}} (?: {_TELLS} )) [^{{}}]{{0,400}} \}}"
"""The rest of a block that tells nobody: it neither throws nor asserts, and keeps nothing to look at afterwards."""

JAVASCRIPT: Final = Language(
    name="TypeScript and JavaScript",
    suffixes=(".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs"),
    scanner=code.JAVASCRIPT,
    test=_pattern(
        rf"""{_CALLED} (?:it|test|specify|xit|xtest|fit)
        (?:\.(?:only|skip|skipIf|runIf|todo|fixme|fail|fails|failing|concurrent|sequential|serial|each|for)\b){{0,8}}
        [ ]* (?=[("])"""
    ),
    block=Block.CALL,
    assertion=_pattern(
        rf"""(?:\bawait\s{{1,9}})? {_CALLED} expect (?:\.(?:soft|poll|element|assertions|hasAssertions))? [ ]* \(
        | {_CALLED} assert (?:\.\w+){{0,6}} [ ]* \( | \.should\b"""
    ),
    table=_pattern(r"\.(?:each|for) [ ]* (?=\()"),
    row=None,
    markers={
        Marker.SKIPPED: _pattern(
            rf"""{_OF_TESTS} \.(?:skip|skipIf|runIf|todo|fixme|failing|fails)\b | \b(?:test|it)\.fail\b
            | (?<!\)) \.(?:skip|todo|fixme|failing|fails) [ ]* \( [ ]* "\d+" [ ]* , \s* {_BODY}
            | \b(?:test|it|describe|suite|specify) [ ]* (?:\?\.[ ]*)? \[ [ ]* "\d+"
            | \{{ [^{{}}\n]{{0,80}} \b(?:skip|skipIf|todo|fixme)\b [^{{}}\n]{{0,80}} \}} [ ]* = [ ]*
              (?:test|it|describe)\b
            | (?:test|it|describe|suite) [ ]* \( [ ]* "\d+" , \s{{0,9}} \{{ [^{{}}]{{0,200}}
              \b(?:skip|todo|fails) [ ]* :
              [ ]* (?:true\b|!0|"\d+")
            | \b(?:xit|xtest|xdescribe|xcontext|pending)[ ]*\("""
        ),
        Marker.ALONE: _pattern(
            rf"""{_OF_TESTS} \.only\b | \b(?:fit|fdescribe|fcontext)[ ]*\(
            | \.only [ ]* \( [ ]* "\d+" [ ]* , \s* {_BODY}
            | (?:test|it|describe|suite) [ ]* \( [ ]* "\d+" , \s{{0,9}} \{{ [^{{}}]{{0,200}} \bonly [ ]* :
              [ ]* (?:true\b|!0)
            | \{{ [^{{}}\n]{{0,80}} \bonly\b [^{{}}\n]{{0,80}} \}} [ ]* = [ ]* (?:test|it|describe)\b"""
        ),
        Marker.RETRIED: _pattern(
            r"""\bretryTimes\b | (?: \b(?:this|it|test|describe|suite|context) | \) ) \.retries[ ]*\(
            | \b(?:retry|repeats)[ ]*: (?! [ ]* (?:false|0)\b )
            | \b(?:test|it|describe|suite|configure) [ ]* \( [^{}()]{0,200} \{ [^{}]{0,200} \bretries [ ]* :"""
        ),
        Marker.TRIVIAL: _pattern(
            r"""\bexpect\( [ ]* (true|false|null|\d+) [ ]* \) \s* \. (?:toBe|toEqual|toStrictEqual) \( [ ]* \1 [ ]* \)
            | \bexpect\( [ ]* (?:true|[1-9]\d*|"\d+") [ ]* \) \s* \. (?:toBeTruthy|toBeDefined) \b
            | \bassert (?:\.ok|\.isTrue)? \( [ ]* true\b | \bexpect\.assertions\([ ]*0\b
            | \bexpect\( [ ]* ([a-z][\w.]*) [ ]* \) \s* \. (?:toBe|toEqual|toStrictEqual) \( [ ]* \2 [ ]* \)"""
        ),
        Marker.CUT_SHORT: _pattern(r"\bprocess\.exit\b"),
        Marker.UNREACHED: _pattern(
            r"""\b(?:if|while) [ ]* \( [ ]* (?:false|0|null|undefined|!1|!true) [ ]* (?:\)|&&)
            | (?:^|[;{}]) [ \t]* (?:false|0|null) [ ]* &&"""
        ),
        Marker.SWALLOWED: _pattern(
            rf"""\bcatch \s* (?:\([^()\n]{{0,200}}\))? \s{{0,200}} \{{ {_QUIET}
            | \.catch\( [ ]* (?:\(\w*\)|\w+) [ ]* => [ ]* (?:undefined|null|void[ ]0|\{{ {_QUIET})
            | \.catch\( [^()\n]{{0,100}} \(\) [ ]* => [ ]* \{{ \s* \}}"""
        ),
    },
    leaving=by_braces,
    bare_return=_pattern(r"^[ \t]+ return [ \t]* ;? [ \t]* $"),
)

CSHARP: Final = Language(
    name="C#",
    suffixes=(".cs",),
    scanner=code.CSHARP,
    test=_pattern(
        r"""[\[,] \s*
        (?:Fact|Theory|Test|TestCase|TestCaseSource|TestMethod|DataTestMethod|SkippableFact|SkippableTheory)
        (?:Attribute)? \b [^{};]{0,600}? \b (?P<name> [A-Za-z_]\w* ) [ ]* (?:<[\w, ]*>)? [ ]*
        \( [^(){};\[\]]{0,500} \) \s{0,200} (?=\{|=>)"""
    ),
    block=Block.BRACES,
    assertion=_pattern(
        r"""(?:\bawait\s{1,9})? \bAssert (?:\.\w+){1,6} [ ]* [(<] | \.Should\w* [ ]* \(
        | \.(?:Verify|VerifyAll|Received|DidNotReceive)\w* [ ]* \( | (?<![\w.]) Expect [ ]* \("""
    ),
    table=None,
    row=_pattern(r"[\[,] \s* (?:InlineData|DataRow|TestCase) (?:Attribute)? [ ]* \("),
    markers={
        Marker.SKIPPED: _pattern(
            r"""[\[,] \s* \w{1,60} [ ]* \( [^()]{0,300} \bSkip(?:When|Unless)? [ ]* =
            | [\[,] \s* (?:Ignore|Explicit) (?:Attribute)? [ ]* [\](,]
            | \bExplicit [ ]* = [ ]* true\b | \bSkipException\b
            | \bAssert\.(?:Ignore|Inconclusive|Skip\w*)\b | \bSkip\.(?:If|IfNot|When|Unless)\b"""
        ),
        Marker.RETRIED: _pattern(r"[\[,] \s* Retry\w* \b"),
        Marker.TRIVIAL: _pattern(
            r"""\bAssert\.(?:True|IsTrue)\([ ]*true\b | \bAssert\.(?:False|IsFalse)\([ ]*false\b | \bAssert\.Pass\b
            | \bAssert\.(?:Equal|AreEqual)\([ ]*(\d+|true|null)[ ]*,[ ]*\1[ ]*\)
            | \bAssert\.(?:True|IsTrue)\( [^;\n]{0,200} \|\|[ ]*true\b"""
        ),
        Marker.CUT_SHORT: _pattern(r"\bEnvironment\.(?:Exit|FailFast)\b"),
        Marker.UNREACHED: _pattern(r"\b(?:if|while) [ ]* \( [ ]* false [ ]* (?:\)|&&) | ^[ \t]* \# [ ]* if\b"),
        Marker.SWALLOWED: _pattern(
            rf"""\bcatch \s* (?:\([^()\n]{{0,200}}\))? (?:\s*when\s*\([^\n]{{0,200}}\))? \s{{0,200}} \{{ {_QUIET}
            | \b(?:Xunit|Assert\w*)Exception\b"""
        ),
    },
    leaving=by_braces,
    bare_return=_pattern(r"^[ \t]+ return [ \t]* ;"),
)

GO: Final = Language(
    name="Go",
    suffixes=(".go",),
    scanner=code.GO,
    test=_pattern(r"^func [ ]+ (?P<name> (?:Test|Fuzz)\w* ) [ ]* \("),
    block=Block.BRACES,
    assertion=_pattern(r"\b[tb]\.(?:Error|Fatal|Fail)\w* [ ]* \( | \b(?:assert|require)\.\w+ [ ]* \("),
    table=None,
    row=None,
    markers={
        Marker.SKIPPED: _pattern(r"\b[tb]\.Skip\w*\b"),
        Marker.TRIVIAL: _pattern(r"\b(?:assert|require)\.True\( [^,()]* , [ ]* true\b"),
        Marker.CUT_SHORT: _pattern(r"\bos\.Exit\b"),
    },
    leaving=lambda _text, _assertion: iter(()),  # `t.Error(…)` and `return` is how Go writes its tests
)

LANGUAGES: Final = (PYTHON, JAVASCRIPT, CSHARP, GO)


def of(path: str) -> Language | None:
    """Return the language of a file, None for one that these rules can't read."""
    return next((one for one in LANGUAGES if path.lower().endswith(one.suffixes)), None)
