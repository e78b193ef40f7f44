import time

import pytest

from shipsafe.reports.escape import clean, for_markdown, short


def test_escape_sequences_go_and_their_text_stays() -> None:
    assert clean("\x1b[1;31mred\x1b[0m \x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x07 \x9b2Kgone") == "red link gone"


def test_a_sequence_that_is_not_ended_cannot_swallow_the_sentence() -> None:
    assert clean("a\x1b]0;title and the rest") == "a0;title and the rest"


def test_line_breaks_of_every_kind_become_one_blank() -> None:
    assert clean("a\r\nb\nc\rd\x0be\x85f\u2028g\u2029h\ti") == "a b c d e f g h i"


def test_line_breaks_and_indentation_stay_where_lines_are_wanted() -> None:
    assert clean("uv says:\r\n  no \x1b[1msolution\x1b[0m\n\n  because\t x \n", lines=True) == "uv says:\n  no solution\n\n  because x"


def test_direction_marks_and_invisible_characters_go() -> None:
    assert clean("exe\u202e.txt\u200b\u2066\u00ad\U000e0041") == "exe.txt"


def test_letters_of_all_languages_stay() -> None:
    assert clean("Größe 尺寸 مقاس 🚀") == "Größe 尺寸 مقاس 🚀"


def test_half_a_character_becomes_a_sign_that_can_be_written() -> None:
    assert clean("a\udc80b").encode() == "a\ufffdb".encode()


def test_a_runner_gets_no_command_at_the_start_of_a_line_and_no_known_one_anywhere() -> None:
    assert clean("  ::anything::x") == ": :anything::x"
    assert clean("see foo ::set-env name=PATH::x") == "see foo : :set-env name=PATH::x"
    assert clean("a##[add-mask]b") == "a## [add-mask]b"
    assert clean("x\n::stop-commands::t", lines=True) == "x\n: :stop-commands::t"


def test_types_of_templates_are_left_alone() -> None:
    assert clean("AWS::Lambda::Function and std::vector") == "AWS::Lambda::Function and std::vector"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert short("word " * 100, 20) == "word word word wo..."
    assert len(short("x" * 10_000_000, 1000)) == 1000


def test_markdown_shows_the_text_and_does_nothing() -> None:
    assert for_markdown("a|b `c` <img src=x> [t](https://x.example) @org #12 *b* _i_") == (
        r"a\|b \`c\` &lt;img src=x&gt; \[t\](https://<!-- -->x.example) @<!-- -->org \#<!-- -->12 \*b\* \_i\_"
    )


@pytest.mark.parametrize("evil", ["\x1b]", "\x90", "\x1b[0", ":", ": ", " x", "\n    ", "ä\t", "\x9da"])
def test_a_long_hostile_text_is_cleaned_in_time_that_grows_with_its_length(evil: str) -> None:
    began = time.process_time()
    clean(evil * 200_000)
    clean(evil * 200_000, lines=True)
    assert time.process_time() - began < 10, "it takes less than a second; what grows with the square takes minutes"
