"""Text from anywhere, made safe to show: what a terminal would obey and what nobody can see becomes its escape.

Control characters move the cursor and rename the window, direction characters reorder what is read, zero-width and
tag characters hide text. The joiners of Persian, Hindi and emoji, and number signs that can be seen, stay.
"""

import json
import re

HIDDEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"
    "\\ud800-\\udfff\\U00013430-\\U0001345f\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]"
)
RUNNING = re.compile(HIDDEN.pattern.replace("\\x00-\\x1f", "\\x00-\\x08\\x0b-\\x1f"))
"""The same but for newlines and tabs, which running text has."""


def shown(text: str) -> str:
    """Running text for a person: its lines and tabs stay, every other such character is escaped, as \\x1b or "
    "\\u202e."""
    return RUNNING.sub(_escaped, text)


def plain(text: str) -> str:
    """The same on one line: newlines and tabs are spaces."""
    return HIDDEN.sub(lambda match: " " if match[0].isspace() else _escaped(match), text)


def as_json(value: object) -> str:
    """A JSON document in which such characters are escaped as JSON has it: the same values, safe on a terminal."""
    return RUNNING.sub(_escaped_in_json, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)) + "\n"


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escaped_in_json(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1] if ord(match[0]) > 0x7F else f"\\u{ord(match[0]):04x}"
