"""Reads the words of a command that are not flags: which are objects, which are not."""

import re
from collections.abc import Callable, Sequence

from app.kubectl.grammar import Form, VerbTable, grammar
from app.kubectl.words import UnparseableCommand, Word

Resources = tuple[tuple[str, str | None], ...]
Reading = tuple[Resources, tuple[str, ...]]

_KIND = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.?")
_VERSION = re.compile(r"v\d+(?:(?:alpha|beta)\d+)?")


def read_objects(table: VerbTable, words: Sequence[Word]) -> Reading:
    """The objects and the other words."""
    if not words:
        return (), ()
    return _READERS[table.form](table, words)


def canonical_kind(word: Word) -> str:
    """The kind's canonical name, whatever it is called."""
    name = word.text.lower()
    kinds = grammar().kinds
    if kind := kinds.get(name):
        return kind
    if not _KIND.fullmatch(name):
        raise UnparseableCommand(f"{word.text!r} is no kind of object", word.position)
    first, *group = name.rstrip(".").split(".")
    if group and _VERSION.fullmatch(group[0]):
        group = group[1:]
    plain = ".".join([first, *group])
    return kinds.get(plain, plain)


def _objects(table: VerbTable, words: Sequence[Word]) -> Reading:
    if any("/" in word.text for word in words):
        return tuple(_kind_and_name(word) for word in words), ()
    first, *names = words
    kinds = [canonical_kind(Word(part, first.position)) for part in first.text.split(",")]
    if not names:
        return tuple((kind, None) for kind in kinds), ()
    return tuple((kind, _name(word)) for kind in kinds for word in names), ()


def _changes(table: VerbTable, words: Sequence[Word]) -> Reading:
    marks = "=:" if table.form is Form.TYPED else "="
    is_change = [_is_change(word.text, marks) for word in words]
    count = is_change.index(True) if True in is_change else len(words)
    if not all(is_change[count:]):
        late = words[is_change.index(False, count)]
        raise UnparseableCommand(f"{late.text!r} comes after the changes", late.position)
    objects, _ = _objects(table, words[:count]) if count else ((), ())
    _refuse_mixed_kinds(table, objects, words[0])
    return objects, tuple(word.text for word in words[count:])


def _refuse_mixed_kinds(table: VerbTable, objects: Resources, word: Word) -> None:
    if table.form is Form.TYPED and len({kind for kind, _ in objects}) > 1:
        raise UnparseableCommand(f"{table.path} takes one kind of object", word.position)


def _is_change(text: str, marks: str) -> bool:
    if text.endswith("-") and text != "-":
        return True
    return any(mark in text for mark in marks) and not text.startswith("=")


def _last(table: VerbTable, words: Sequence[Word]) -> Reading:
    objects, _ = _objects(table, words[:-1]) if len(words) > 1 else ((), ())
    return objects, (words[-1].text,)


def _one(table: VerbTable, words: Sequence[Word]) -> Reading:
    first = words[0]
    is_typed = "/" in first.text
    found = _kind_and_name(first) if is_typed else ("pod", _name(first))
    return (found,), tuple(word.text for word in words[1:])


def _nodes(table: VerbTable, words: Sequence[Word]) -> Reading:
    found = [_kind_and_name(word) if "/" in word.text else ("node", _name(word)) for word in words]
    return tuple(found), ()


def _named(table: VerbTable, words: Sequence[Word]) -> Reading:
    return tuple((table.kind or "", _name(word)) for word in words), ()


def _words(table: VerbTable, words: Sequence[Word]) -> Reading:
    return (), tuple(word.text for word in words)


def _kind_and_name(word: Word) -> tuple[str, str]:
    kind, slash, name = word.text.partition("/")
    if not slash:
        raise UnparseableCommand(f"{word.text!r} is not TYPE/NAME as the others", word.position)
    return canonical_kind(Word(kind, word.position)), _name(Word(name, word.position))


def _name(word: Word) -> str:
    if not word.text or "/" in word.text or word.text.startswith("-"):
        raise UnparseableCommand(f"{word.text!r} is no name of an object", word.position)
    return word.text


_READERS: dict[Form, Callable[[VerbTable, Sequence[Word]], Reading]] = {
    Form.OBJECTS: _objects,
    Form.CHANGES: _changes,
    Form.TYPED: _changes,
    Form.LAST: _last,
    Form.ONE: _one,
    Form.NODES: _nodes,
    Form.NAMED: _named,
    Form.WORDS: _words,
}
