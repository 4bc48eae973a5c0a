"""Bodies become text, or a sentence that says why not."""

import pytest

from app.domain.errors import BadInput
from app.intake.decode import decode


def test_utf8_is_decoded_with_and_without_a_byte_order_mark():
    assert decode("\ufeffé\n".encode()) == "é\n"
    assert decode("é\n".encode()) == "é\n"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [(b"\xff\xfeE\x00", "valid UTF-8"), (b"", "empty"), (b" \n\t\r\n", "empty")],
)
def test_a_body_that_cannot_be_read_says_why(body: bytes, sentence: str):
    with pytest.raises(BadInput, match=sentence):
        decode(body)
