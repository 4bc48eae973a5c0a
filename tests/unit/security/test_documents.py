"""Secrets that reach over several lines leave, and the lines stay where they are."""

import pytest

from app.security.redaction import redact

BODY = ["MIIEpAIBAAKCAQEAx0aQ8LkPq3", "v9Tn2yBqWm5cHs7RkZ1", "Q8d="]


@pytest.mark.parametrize("prefix", ["", "    ", "2024-05-01T10:00:00Z ", "[pod/web-1/api] "])
@pytest.mark.parametrize("has_end", [True, False])
def test_a_private_key_over_several_lines_leaves_and_the_lines_stay(prefix: str, has_end: bool):
    end = ["-----END RSA PRIVATE KEY-----", "next message after it"] if has_end else []
    lines = ["before", "-----BEGIN RSA PRIVATE KEY-----", *BODY, *end]
    text = "\n".join(prefix + line for line in lines)

    redacted = redact(text).text.split("\n")

    assert len(redacted) == len(lines)
    assert not any(part in line for line in redacted for part in BODY)
    assert redacted[0] == f"{prefix}before"
    assert not has_end or redacted[-1] == f"{prefix}next message after it"


def test_a_key_whose_beginning_was_cut_off_leaves():
    redacted = redact("\n".join(["hello world", *BODY, "-----END EC PRIVATE KEY-----"])).text

    assert not any(part in redacted for part in BODY)
    assert redacted.startswith("hello world\n[REDACTED:private-key:")


def test_a_private_key_inside_json_leaves():
    line = '{"key":"-----BEGIN PRIVATE KEY-----\\n' + "\\n".join(BODY) + '\\n","user":"app"}'

    redacted = redact(line).text

    assert not any(part in redacted for part in BODY)
    assert redacted.endswith('","user":"app"}')


def test_a_secret_manifest_keeps_its_keys_and_loses_its_values():
    text = """apiVersion: v1
items:
- apiVersion: v1
  data:
    plain: keepme
  kind: ConfigMap
- apiVersion: v1
  data:
    user: YXBw
    other: aHVudGVy
  kind: Secret
  metadata:
    name: db-credentials
---
apiVersion: v1
kind: Secret
stringData:
  file: |
    first line
    second line
metadata:
  name: other
"""

    redacted = redact(text).text

    assert redacted.count("\n") == text.count("\n")
    for gone in ("YXBw", "aHVudGVy", "first line", "second line"):
        assert gone not in redacted
    for kept in ("plain: keepme", "user: [REDACTED", "name: db-credentials", "name: other"):
        assert kept in redacted


def test_a_pretty_printed_json_secret_loses_its_values():
    text = '{\n  "apiVersion": "v1",\n  "data": {\n    "user": "YXBw"\n  },\n  "kind": "Secret"\n}'

    redacted = redact(text).text

    assert "YXBw" not in redacted
    assert '"kind": "Secret"' in redacted


def test_names_and_values_on_two_lines_and_block_values_leave():
    text = """env:
- name: DB_PASSWORD
  value: hunter2
- name: DB_HOST
  value: db
args:
  - --token
  - abc123
admin_password: |
  hunter3
  hunter4
next: x"""

    redacted = redact(text).text

    assert not any(gone in redacted for gone in ("hunter2", "abc123", "hunter3", "hunter4"))
    assert "value: db" in redacted
    assert redacted.endswith("next: x")


def test_the_data_that_kubectl_describes_and_its_maps_lose_their_secrets():
    text = (
        "Data\n====\ndb.password:\n----\nhunter2 two\n\nlevel:\n----\ndebug\n"
        "E\n[map[name:DB_PASSWORD value:hunter2 two] map[name:LEVEL value:debug]]\n"
    )

    redacted = redact(text).text

    assert "hunter2" not in redacted
    assert "two" not in redacted
    assert redacted.count("debug") == 2
    assert redacted.count("\n") == text.count("\n")
