"""Reads a kubectl command's text: no shell, every spelling the same, nothing guessed."""

import re
from collections.abc import Sequence

from app.kubectl.command import ParsedCommand
from app.kubectl.grammar import Flag, FlagType, VerbTable, grammar
from app.kubectl.objects import read_objects
from app.kubectl.words import UnparseableCommand, Word, split_words

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_NUMBER_OR_INPUT = re.compile(r"-\d*")


def parse(text: str) -> ParsedCommand:
    """The command, or UnparseableCommand; a leading `kubectl` may be left out."""
    words = split_words(text)
    if words and words[0].text == "kubectl":
        del words[0]
    if not words:
        raise UnparseableCommand("there is no command", 0)
    return _Reader(words).read()


class _Reader:
    """Goes over the words once."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._last = words[-1]
        self._rest = list(reversed(words))
        self._flags: dict[str, list[str]] = {}

    def read(self) -> ParsedCommand:
        table = self._read_verb()
        plain, after_dashes = self._read_rest(table)
        resources, args = read_objects(table, plain)
        verb, _, subverb = table.path.partition(" ")
        return ParsedCommand(
            verb=verb,
            subverb=subverb or None,
            resources=resources,
            flags={name: tuple(self._flags[name]) for name in sorted(self._flags)},
            args=args,
            after_dashes=after_dashes,
        )

    def _read_verb(self) -> VerbTable:
        path = ""
        while True:
            self._read_global_flags(can_stop=path in grammar().verbs)
            word = self._rest[-1] if self._rest else None
            if word is None or word.text.startswith("-"):
                break
            path = f"{path} {word.text}" if path else word.text
            if path not in grammar().verbs and path not in grammar().families:
                raise UnparseableCommand(f"unknown verb {path!r}", word.position)
            self._rest.pop()
            if path not in grammar().families:
                break
        if table := grammar().verbs.get(path):
            return table
        reason = f"{path!r} needs one more word" if path else "there is no verb"
        raise UnparseableCommand(reason, self._last.position)

    def _read_global_flags(self, *, can_stop: bool) -> None:
        """Flags before the verb; a verb's own flags end the search for a subverb."""
        table = grammar().global_flags
        while self._rest and self._rest[-1].text.startswith("-"):
            if can_stop and not _is_known(table, self._rest[-1].text):
                return
            self._read_flag(table, self._rest.pop())

    def _read_rest(self, table: VerbTable) -> tuple[list[Word], tuple[str, ...]]:
        plain: list[Word] = []
        while self._rest:
            word = self._rest.pop()
            text = word.text
            if text[:1] != "-" or text == "-":
                if table.path in grammar().families:
                    raise UnparseableCommand(f"unknown verb '{table.path} {text}'", word.position)
                plain.append(word)
            elif text != "--":
                self._read_flag(table, word)
            elif table.takes_command:
                return plain, tuple(word.text for word in reversed(self._rest))
            else:
                raise UnparseableCommand(f"-- means nothing to {table.path}", word.position)
        return plain, ()

    def _read_flag(self, table: VerbTable, word: Word) -> None:
        if word.text.startswith("--"):
            spelled, equals, value = word.text[2:].partition("=")
            # kubectl itself takes an underscore in a flag for a dash.
            flag = table.flags.get(spelled.replace("_", "-"))
            if flag is None:
                raise UnparseableCommand(f"unknown flag --{spelled} of {table.path}", word.position)
            self._keep(flag, value if equals else self._value_left_out(flag, word), word)
        else:
            self._read_shorts(table, word)

    def _read_shorts(self, table: VerbTable, word: Word) -> None:
        letters = word.text[1:]
        while letters:
            flag = table.shorts.get(letters[0])
            if flag is None:
                raise UnparseableCommand(
                    f"unknown flag -{letters[0]} of {table.path}", word.position
                )
            rest = letters[1:]
            if rest.startswith("=") and len(rest) > 1:
                return self._keep(flag, rest[1:], word)
            if rest and not flag.type.is_switch:
                return self._keep(flag, rest, word)
            self._keep(flag, self._value_left_out(flag, word), word)
            letters = rest
        return None

    def _value_left_out(self, flag: Flag, word: Word) -> str:
        if flag.type.is_switch:
            return "true"
        if flag.type is FlagType.OPTIONAL:
            return flag.left_out_value
        value = self._rest.pop().text if self._rest else "--"
        if value.startswith("-") and not _NUMBER_OR_INPUT.fullmatch(value):
            raise UnparseableCommand(f"{word.text} needs a value", word.position)
        return value

    def _keep(self, flag: Flag, value: str, word: Word) -> None:
        if flag.type.is_switch:
            value = _truth(flag, value, word)
        kept = self._flags.setdefault(flag.name, [])
        if flag.type is FlagType.LIST or not kept:
            kept.append(value)
        elif kept[0] != value:
            raise UnparseableCommand(f"--{flag.name} is given twice", word.position)


def _is_known(table: VerbTable, text: str) -> bool:
    if text.startswith("--"):
        return text[2:].partition("=")[0].replace("_", "-") in table.flags
    return text[1:2] in table.shorts


def _truth(flag: Flag, value: str, word: Word) -> str:
    if value in _TRUE:
        return "true"
    if value in _FALSE:
        return "false"
    raise UnparseableCommand(f"--{flag.name} is true or false, not {value!r}", word.position)
