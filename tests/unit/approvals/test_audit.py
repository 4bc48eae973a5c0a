"""The audit file: a complete copy of the trail, in which nothing can be changed unseen."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from app.adapters.storage.audit_file import AuditFile
from app.approvals.changes import Changes
from app.approvals.copying import AuditCopying
from app.domain.audit import FIRST_HASH, AuditEntry, AuditFact, AuditType
from app.domain.audit_check import AuditProblem, CheckedLine, check_lines
from app.domain.errors import Conflict
from app.domain.ids import ApprovalId
from tests.fakes.approvals import NOON


class KeptTrail:
    """The database's side."""

    def __init__(self, entries: Sequence[AuditEntry]) -> None:
        """Some entries, and more when a test says so."""
        self.entries = list(entries)

    async def after(self, seq: int) -> Sequence[AuditEntry]:
        """Three at a time."""
        return [entry for entry in self.entries if entry.seq > seq][:3]


def trail(count: int, action: str = "Restart") -> list[AuditEntry]:
    """A chain of proposals."""
    return list(_chain(count, action))


def _chain(count: int, action: str) -> Iterator[AuditEntry]:
    seq, prev = 0, FIRST_HASH
    for number in range(count):
        fact = AuditFact(
            AuditType.PROPOSED,
            ApprovalId(f"a{number}"),
            None,
            {"action": f'{action} "{number}" ü\n'},
        )
        entry = AuditEntry.after(seq, prev, fact, NOON + timedelta(seconds=number))
        seq, prev = entry.seq, entry.hash
        yield entry


def copying(entries: Sequence[AuditEntry], path: Path) -> AuditCopying:
    return AuditCopying(KeptTrail(entries), AuditFile(path), Changes())


def lines_of(entries: Sequence[AuditEntry]) -> list[bytes]:
    return [entry.to_line() for entry in entries]


def problem_of(lines: Sequence[bytes]) -> AuditProblem | None:
    found = list(check_lines(lines))
    return found[-1] if found and isinstance(found[-1], AuditProblem) else None


async def test_the_file_gets_what_it_lacks_and_nothing_twice(tmp_path: Path):
    path, entries = tmp_path / "data" / "audit.jsonl", trail(20)

    for count in (4, 4, 20):
        await copying(entries[:count], path).copy()

    assert path.read_bytes().splitlines(keepends=True) == lines_of(entries)


async def test_two_servers_on_one_file_write_each_entry_once(tmp_path: Path):
    path, entries = tmp_path / "audit.jsonl", trail(6)
    file = AuditFile(path)
    file.append(entries[:2])

    file.append(entries[:5])
    AuditFile(path).append(entries[1:])

    assert path.read_bytes().splitlines(keepends=True) == lines_of(entries)


@pytest.mark.parametrize("cut", [1, 10, 200])
async def test_what_a_kill_left_half_written_is_written_again(tmp_path: Path, cut: int):
    path, entries = tmp_path / "audit.jsonl", trail(9)
    whole = b"".join(lines_of(entries[:5]))
    path.write_bytes(whole[:-cut])
    torn = problem_of(path.read_bytes().splitlines(keepends=True))

    await copying(entries, path).copy()

    assert torn is not None
    assert torn.number == 5
    lines = path.read_bytes().splitlines(keepends=True)
    checked = [line for line in check_lines(lines) if isinstance(line, CheckedLine)]
    assert [line.entry for line in checked] == entries


async def test_long_lines_are_found_from_the_end(tmp_path: Path):
    path, entries = tmp_path / "audit.jsonl", trail(4, action="x" * 700_000)
    await copying(entries[:3], path).copy()

    assert AuditFile(path).last() == entries[2]
    await copying(entries, path).copy()

    assert path.read_bytes().splitlines(keepends=True) == lines_of(entries)


async def test_a_file_of_another_trail_is_left_alone(tmp_path: Path):
    path = tmp_path / "audit.jsonl"
    await copying(trail(3), path).copy()
    before = path.read_bytes()

    for other in (trail(5, action="Another"), trail(2), []):
        with pytest.raises(Conflict, match="audit verify"):
            await copying(other, path).copy()

    assert path.read_bytes() == before


def test_a_whole_file_has_no_problem():
    lines = lines_of(trail(5))

    assert problem_of(lines) is None
    assert len(list(check_lines(lines))) == 5
    assert problem_of([]) is None


@pytest.mark.parametrize("at", [0, 2, 4])
def test_every_changed_byte_is_found_in_its_line(at: int):
    lines = lines_of(trail(5))
    for place in range(0, len(lines[at]) - 1, 7):
        damaged = bytearray(lines[at])
        damaged[place] ^= 1

        found = problem_of([*lines[:at], bytes(damaged), *lines[at + 1 :]])

        assert found is not None, place
        assert found.number == at + 1


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_removed_line_is_found_where_it_was(at: int):
    lines = lines_of(trail(5))

    found = problem_of([*lines[:at], *lines[at + 1 :]])

    assert found is not None
    assert found.number == at + 1
    assert "missing" in found.reason


@pytest.mark.parametrize("inserted", [b"\n", b"{}\n", lines_of(trail(2))[1], lines_of(trail(9))[8]])
def test_an_inserted_line_is_found_where_it_is(inserted: bytes):
    lines = lines_of(trail(5))

    found = problem_of([*lines[:3], inserted, *lines[3:]])

    assert found is not None
    assert found.number == 4


def test_a_forged_line_with_a_hash_of_its_own_does_not_fit():
    lines, other = lines_of(trail(5)), lines_of(trail(5, action="Another"))

    found = problem_of([*lines[:2], other[2], *lines[3:]])

    assert found is not None
    assert found.number == 3


def test_lines_in_another_order_are_found():
    lines = lines_of(trail(5))

    found = problem_of([lines[0], lines[2], lines[1], *lines[3:]])

    assert found is not None
    assert found.number == 2
