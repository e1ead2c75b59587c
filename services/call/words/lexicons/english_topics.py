"""English: numbers, days and times, and the questions of an agent."""

from __future__ import annotations

from services.call.words.lexicons.lexicon import (
    Calendar,
    Numbers,
    Questions,
    a_list,
    anywhere,
    at_end,
    at_start,
    block,
    number_words,
)
from services.call.words.readiness import Expectation

_MONTHS = block(
    """january | february | march | april | may | june | july | august | september | october
    | november | december | jan | feb | mar | apr | jun | jul | aug | sept? | oct | nov | dec"""
)
_WEEKDAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_ORDINAL = block(
    r"""(?:(?:twenty | thirty)\s)?(?:first | second | third | fourth | fifth | sixth | seventh
    | eighth
    | ninth) | tenth | eleventh | twelfth | (?:thir|four|fif|six|seven|eigh|nine)teenth | twentieth
    | thirtieth | \d{1,2} ?(?:st|nd|rd|th)"""
)
_HOUR = block(
    r"""\d{1,2} | one | two | three | four | five | six | seven | eight | nine | ten | eleven
    | twelve"""
)
_MINUTE = block(
    r"""\d\d | thirty(?: five)? | fifteen | forty(?: five)? | twenty(?: five)? | ten
    | fifty(?: five)?
    | (?:oh | o) five"""
)
_HALF = block("am | pm | o'clock | oclock | o clock | ish | sharp")

NUMBERS = Numbers(
    words=number_words(
        "zero|oh|o|nought|naught one two three four five six seven eight nine|niner",
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        "twenty thirty forty|fourty fifty sixty seventy eighty ninety",
    ),
    times={"double": 2, "triple": 3, "treble": 3},
    rounds={"hundred": "00", "thousand": "000"},
    sound_alikes={"to": "2", "too": "2", "for": "4", "fore": "4", "ate": "8", "won": "1"},
    links=a_list("dash hyphen then uh um er erm area code space and is pause plus"),
    nouns=anywhere(
        """numbers? | phone | cell | mobile | landline | code | pin | reference | account
        | extension
        | zip | card | policy | (?:call | reach | ring | text | phone | contact)
        (?:me | us | him | her)(?: back)?(?: (?:at | on))?"""
    ),
    at_words=a_list("at"),
    dot_words=a_list("dot point period"),
    sign_words={"underscore": "_", "dash": "-", "hyphen": "-", "plus": "+"},
)

CALENDAR = Calendar(
    days=anywhere(
        rf"""{_WEEKDAY} | today | tonight | tomorrow | yesterday | day after(?: tomorrow)?
        | weekends? | weekdays? | (?:next | this | following | any | every) (?:week | month)
        | in (?:a | an? (?:couple of | few) | \w+) (?:days? | weeks? | months?)
        | (?:days? | weeks? | months?) from (?:now | today)"""
    ),
    months=anywhere(_MONTHS),
    ordinals=anywhere(_ORDINAL),
    clock=anywhere(
        rf"""{_HOUR}(?: {_MINUTE})? {_HALF} | {_HOUR} {_MINUTE}
        | (?:half past | half | quarter past | quarter to | {_MINUTE}(?: minutes)? (?:past | to))
        {_HOUR} | noon | midday | midnight | lunch ?time | (?:morning | afternoon | evening)s?
        | at night | (?:between | from) {_HOUR}(?: {_MINUTE})?(?: am | pm)? (?:and | to | till
        | until) {_HOUR} | first thing | end of (?:the )?day | right now | straight away"""
    ),
    any_time=anywhere(
        r"""any ?(?:time | day) | whenever | as soon as possible | asap | a s a p
        | the (?:earliest | soonest | first | next) (?:\w+\s?){1,3} | either(?: one | day)?
        | doesn't matter | don't mind | i'm (?:flexible | easy | free) | you (?:choose | pick)
        | the (?:first | second | last | earlier | later | former | latter)(?: one)?$"""
    ),
    open_times=at_end(
        rf"""(?:between | from) (?:the )?{_HOUR}(?: {_MINUTE})?(?: am | pm)?
        | (?:between | from) (?:{_WEEKDAY} | {_MONTHS}) | half past | quarter (?:past | to)"""
    ),
)

_LABELLED = block(
    r"""account | reference | order | booking | confirmation | policy | member(?:ship)? | customer
    | card | case | ticket | tracking | invoice | licen[cs]e | insurance | security | patient
    | serial | tax | registration | room | flight | routing"""
)
QUESTIONS = Questions(
    kinds=(
        (anywhere("e ?mails?(?: address)?"), Expectation.EMAIL),
        (anywhere("date of birth | birth ?day | birth ?date | born"), Expectation.BIRTH_DATE),
        (
            anywhere(
                rf"""{_LABELLED}(?: \w+)? (?:number | code | id) | pin | (?:post | postal | zip
                | verification)? ?code | zip | digits of | spell(?:ed | ing)? | spelt
                | last \w+ digits"""
            ),
            Expectation.CODE,
        ),
        (
            anywhere(
                r"""(?:your | a | the | what | which | best | good | \w*phone | mobile | cell
                | back)
                (?:(?:is | the | your | best | good | phone | mobile | cell)\s)*numbers?
                | what's (?:\w+\s){0,3}number
                | numbers? (?:to | for | we | i | you | where | can | should | please)
                | (?:what | which | where) .*(?:reach | call | ring
                | contact) you(?: back)?(?: at| on)?
                | how (?:can | should | do | may) (?:we | i | he | she | they)
                (?:best )?(?:reach | contact | call) you"""
            ),
            Expectation.PHONE,
        ),
        (
            anywhere(
                r"""(?:your | a | the | full | last | first | sur | whose | what) ?names? | surname
                | who (?:am i | is | do i | should i | may i) .*(?:speaking | calling | talking
                | this
                | say | have | with) | who's (?:calling | speaking | this) | names? please
                | (?:should | can | do | may) (?:i | we) call you$"""
            ),
            Expectation.NAME,
        ),
        (
            anywhere(
                """(?:your | the | home | street | billing | delivery | mailing) address
                | where do you live"""
            ),
            Expectation.ADDRESS,
        ),
        (
            anywhere("how (?:many | much | old | long | often) | what (?:age | size | quantity)"),
            Expectation.NUMBER,
        ),
        (
            anywhere(
                """(?:day | date)s? (?:and | or) (?:\\w+\\s)?times? | times? (?:and
                | or) (?:\\w+\\s)?
                (?:day | date)s? | when"""
            ),
            Expectation.WHEN,
        ),
        (
            anywhere(
                rf"""(?:what | which) (?:\w+\s)?(?:day | date)s? | which month | {_WEEKDAY} .*or
                | (?:today | tomorrow) or | (?:a | the | preferred | best) (?:day | date)"""
            ),
            Expectation.DATE,
        ),
        (
            anywhere(
                rf"""(?:what | which) (?:\w+\s)?times? | morning .*or .*(?:afternoon | evening)
                | (?:a | the | preferred | best | another) time
                | {_HOUR}(?: {_HALF})? or (?:at )?{_HOUR}"""
            ),
            Expectation.TIME,
        ),
    ),
    yes_no=at_start(
        r"""(?:(?:and | so | okay | ok | great | thanks | thank you | alright | perfect | then | but
        | just to confirm | to confirm | sorry | now | sure | well | got it | i see)\s)*
        (?:is | are | was | were | do | does | did | have | has | shall | should | would | will | am
        | isn't | aren't | don't | didn't | doesn't | wouldn't | (?:can | could | may) (?:i | we)
        (?:help | do | confirm | call | put | transfer | text | send | book) | can you hear)"""
    ),
    tags=at_end(
        """right | correct | okay | ok | yes | yes or no | is it | isn't it | is that so | all right
        | agreed | does that (?:work | suit you | sound (?:good | right))"""
    ),
    requests=anywhere(
        """please | tell me | give me | let me know | (?:can | could | may | might) (?:i | you | we)
        | i(?:'ll | will)? (?:just )?need | spell | say (?:it | that) again | what | which | when
        | i'd (?:like | need) (?:your | to know)"""
    ),
    or_words=a_list("or"),
)
