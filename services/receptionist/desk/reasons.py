"""Why somebody is wanted, in the words in which a person is told: pure functions.

A caller's own words are kept as they are. But "Can I talk to a person, please?" tells whoever picks
up nothing, so they are not bothered with it.
"""

from __future__ import annotations

import re

from services.receptionist.understanding.words import normalise

_EMPTY = re.compile(
    r"""a | about | again | all | an | and | any | are | as | at | be | but | can | could | do
    | does | for | from | get | give | had | has | have | hello | hey | hi | i | if | in | is | it
    | just | let | like | may | me | might | my | need | needs | no | not | now | of | oh
    | okay | on | one | or | our | please | quick | quickly | right | see | so | sorry | thank
    | thanks | that | the | then | there | they | this | through | to | us | want | wanted
    | wanting | wants | we | well | when | with | wish | wishes | would | yes | you | your
    | here | away | immediately | instead | maybe | really | actually | rather | directly
    # being put through
    | answer | ask | asked | asking | asks | call | called | caller | callers | calling | calls
    | chat | connect | connected | hand | hold | line | pass | passed | patch | phone | put
    | putting | reach | request | requested | requesting | requests | say | send | speak
    | speaking | spoke | switch | talk | talked | talking | transfer | transferred | transferring
    # somebody
    | actual | agent | anybody | anyone | assistant | being | boss | dr | female | he | her | him
    | human | humans | lady | live | living | machine | man | manager | member | men | miss | mr
    | mrs | ms | operator | owner | people | person | real | receptionist | representative | robot
    | she | somebody | someone | staff | supervisor | team | them | woman""",
    re.VERBOSE,
)
_ENDING = ".!?…,;: "


def told(reason: str, person: str = "") -> str:
    """The reason without the punctuation at its end, and without what says no more than that
    somebody (``person``, for instance) is wanted: that may be all of it."""
    names = set(normalise(person).split())
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(reason.split()))
    kept = [each for each in sentences if not _is_empty(each, names)]
    return " ".join(kept).rstrip(_ENDING)


def _is_empty(sentence: str, names: set[str]) -> bool:
    words = re.findall(r"\w+", normalise(sentence))
    return all(_EMPTY.fullmatch(word) or word in names for word in words)
