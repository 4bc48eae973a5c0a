"""Commands made from kubectl's own tables, in every spelling; a seed makes one again."""

import shlex
from collections.abc import Sequence
from random import Random

from app.kubectl.grammar import Flag, FlagType, Form, VerbTable, grammar

TABLES = tuple(sorted({table.path: table for table in grammar().verbs.values()}.items()))
KIND_NAMES = sorted(grammar().kinds)
NAMES = ["web", "api-1", "db-0", "worker-1", "shop", "a", "x9", "web.v1", "YOUR_POD", "<pod>"]
VALUES = [
    *NAMES, "", "0", "1", "-1", "30", "3s", "true", "false", "none", "client", "server", "yaml",
    "YAML", "json", "wide", "name", "jsonpath={.items[*].x}", "go-template={{.data}}",
    "custom-columns=A:.b", "jsonpath-file=/x", "app=web", "app!=x,b in (c)", "a b", "$x", "it's",
    '"', "a;b", "a|b", "&&", "\\", "=", "=x", "#", "{}", '{"spec":{"replicas":0}}', "é", "~", "*",
]  # fmt: skip
LOOKALIKES = {"-": "\u2010\u2011\u2013\u2014\u2212\ufe63\uff0d", "a": "\u0430\uff41", "e": "\u0435\uff45", "o": "\u043e\uff4f"}  # fmt: skip


class Commands(Random):
    """Draws commands; not cryptographic, and not meant to be."""

    def words(self, tables: Sequence[tuple[str, VerbTable]] = TABLES) -> list[str]:
        """A well-formed command, its flags in any place and spelling."""
        path, table = self.choice(tables)
        parts = [[word] for word in self._objects(table)]
        for name in self.sample(sorted(table.flags), min(self.randrange(5), len(table.flags))):
            flag = table.flags[name]
            parts.insert(self.randint(0, len(parts)), self.spelled(table, flag, self.value(flag)))
        words = [*path.split(), *(word for part in parts for word in part)]
        if table.takes_command and self.randrange(2):
            words += ["--", *self.choices(VALUES, k=self.randrange(4))]
        return words

    def value(self, flag: Flag) -> str:
        return self.choice(["true", "false"] if flag.type.is_switch else VALUES)

    def spelled(self, table: VerbTable, flag: Flag, value: str) -> list[str]:
        """One flag as one or two words."""
        name = self.choice([flag.name, flag.name.replace("-", "_")])
        short = next((letter for letter, each in table.shorts.items() if each == flag), None)
        takes_next_word = flag.type in {FlagType.VALUE, FlagType.LIST}
        spellings = [[f"--{name}={value}"]]
        if takes_next_word and not value.startswith("-"):
            spellings.append([f"--{name}", value])
        if flag.type.is_switch and value == "true":
            spellings += [[f"--{name}"], *([[f"-{short}"]] if short else [])]
        if short and value:
            spellings.append([f"-{short}={value}"])
        if short and value and takes_next_word and value[0] not in "=-":
            spellings += [[f"-{short}{value}"], [f"-{short}", value]]
        return self.choice(spellings)

    def quoted(self, words: Sequence[str]) -> str:
        """The words as a text, each quoted in one of the ways a shell knows."""
        return " ".join(self._quoted_word(word) for word in words)

    def disguised(self, text: str) -> str:
        """The text, perhaps with a letter of another case or alphabet."""
        if self.randrange(2):
            return text
        position = self.randrange(len(text))
        letter = text[position]
        others = [letter.swapcase(), f"{letter}\u200b", *LOOKALIKES.get(letter, "")]
        other: str = self.choice(others)
        return text[:position] + other + text[position + 1 :]

    def _quoted_word(self, word: str) -> str:
        ways: list[str] = [shlex.quote(word)]
        if word.isascii() and word:
            ways.append("".join(f"\\{character}" for character in word))
        if word and not set(word) & set('\\$`"'):
            ways += [f'"{word}"', f'"{word[0]}"{shlex.quote(word[1:] or "")}']
        return self.choice(ways) if shlex.quote(word) != word or self.randrange(2) else word

    def _objects(self, table: VerbTable) -> list[str]:
        names = self.sample(NAMES, self.randrange(3))
        changes = [f"{name}=x" for name in self.sample(NAMES, self.randrange(3))]
        match table.form:
            case Form.OBJECTS:
                return self._typed_objects()
            case Form.CHANGES:
                return self._typed_objects() + changes
            case Form.TYPED:
                return ["nodes", *names, *changes]
            case Form.LAST:
                return [*self._typed_objects(), "robot"]
            case Form.ONE:
                return [f"{self.choice(KIND_NAMES)}/web", *names]
            case Form.NODES | Form.NAMED | Form.WORDS:
                return names

    def _typed_objects(self) -> list[str]:
        kinds = self.choices(KIND_NAMES, k=2)
        names = self.sample(NAMES, self.randrange(3))
        if self.randrange(2):
            return [f"{kind}/{name}" for kind, name in zip(kinds, names, strict=False)]
        return [self._cased(",".join(kinds[: self.randint(1, 2)])), *names]

    def _cased(self, text: str) -> str:
        return self.choice([text, text.upper(), text.title()])
