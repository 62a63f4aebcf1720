"""Bodies keep every byte, whichever pieces were there before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowdbg.core.json_text import JsonText, Segments, encode
from flowdbg.transport.body import BodyEncoder

TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
LARGE = st.builds(lambda text, times: JsonText(f'"{text}"' * times), TEXTS, st.integers(1, 200))


@given(st.lists(LARGE, max_size=6), st.lists(st.lists(st.integers(0, 5), max_size=6), max_size=5))
def test_bodies_that_share_pieces_are_the_bytes_of_their_texts(
    pieces: list[JsonText], bodies: list[list[int]]
) -> None:
    encoder = BodyEncoder()
    for chosen in bodies:
        chosen_pieces = [pieces[at] for at in chosen if at < len(pieces)]
        body: Segments = ("{", *chosen_pieces, "}")
        assert encoder.encode(body) == encode(body)


def test_new_pieces_never_get_the_bytes_of_pieces_that_are_gone() -> None:
    encoder = BodyEncoder()
    for number in range(200):  # pieces die at once, so their addresses are used again
        body = (JsonText(f'"{number:04}{"x" * 1000}"'),)
        assert encoder.encode(body) == body[0].text.encode()


def test_a_lone_surrogate_goes_out_as_its_escape() -> None:
    encoder = BodyEncoder()
    assert encoder.encode(('{"a":', JsonText('"\ud800"'), "}")) == b'{"a":"\\ud800"}'
    assert encoder.encode((JsonText('"' + "\ud800" * 600 + '"'),)) == b'"' + b"\\ud800" * 600 + b'"'


def test_a_growing_body_is_the_same_bytes_as_one_made_at_once() -> None:
    encoder = BodyEncoder()
    outputs = [JsonText(f'{{"n":{number},"text":"{"ä" * 600}"}}') for number in range(60)]
    names = [f'"step-{number}":' for number in range(60)]
    for count in [*range(60), 30, 31, 5, 60, 60]:
        if count == 31:
            outputs[25] = JsonText('{"changed":true}')
        pieces: list[str | JsonText] = [f'{{"stepIndex":{count},"outputs":{{']
        for at in range(count):
            pieces += [f",{names[at]}" if at else names[at], outputs[at]]
        segments = (*pieces, '},"last":', JsonText(f'"{count}"'), "}")
        assert encoder.encode(segments) == encode(segments)
