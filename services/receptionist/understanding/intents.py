"""What callers want, as a table: patterns over words made comparable by ``words.normalise``.

To teach the receptionist a new way of asking, add a pattern here; to teach her a new fact, edit
the agent file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.receptionist.calendar.days import HOLIDAYS, MONTHS
from services.receptionist.calendar.schedule import WEEKDAYS
from services.receptionist.understanding.intent_kinds import ABOUT_BOOKINGS as ABOUT_BOOKINGS
from services.receptionist.understanding.intent_kinds import KINDS as KINDS
from services.receptionist.understanding.intent_kinds import WORTH_A_MESSAGE as WORTH_A_MESSAGE
from services.receptionist.understanding.intent_kinds import Intent as Intent
from services.receptionist.understanding.intent_kinds import Kind as Kind

_DAY = (
    rf"(?:(?:{'|'.join(WEEKDAYS)})s?|today|tonight|tomorrow|weekend|week ?days?|holidays?"
    rf"|(?:{'|'.join(MONTHS)}) \w+|{HOLIDAYS})"
)
_BEFORE_A_DAY = rf"(?:and|or|what|how|about|on|for|this|next|the|also|i|said|meant|{_DAY})"
DAYS_ONLY = rf"^(?:{_BEFORE_A_DAY} )*{_DAY}(?: then)?$"
"""A question that is nothing but days: "What about Saturday and Sunday?"."""

_A_PERSON = (
    r"(?:(?:a |an |the |your |real |actual |live |human )*(?:person|human(?: being)?|someone"
    r"|somebody|anyone|anybody|operator|agent|representative|rep|manager|owner|boss|receptionist|reception"
    r"|front desk|secretary|staff|team|customer service|doctor|dentist))"
)
_MACHINE = r"(?:robot|machine|human|person|computer|ai|bot|recording|human being|answering machine)"
_HERE = (
    r"(?:you|your (?:office|clinic|practice|shop|store|salon|place|business|building|entrance)"
    r"|the (?:office|clinic|practice|shop|store|salon|place|building|entrance)|it)"
)
_A_MOMENT = r"(?:sec|second|seconds|moment|minute|minutes|bit)"
_APPOINTMENT = r"(?:appointments?|bookings?|reservations?|visit|slot)"
_NOT_HYPOTHETICAL = r"^(?!.*\b(?:what|happens|fee|charge|cost) (?:if|when|to|for)\b).*?"
_BAD = r"(?:terrible|awful|horrible|appalling|rude|lousy|bad|worst)"
_TAKING = r"(?:leave|take|give|send|pass on|pass|drop|record|relay)"

_TABLE: tuple[tuple[Intent, str], ...] = (
    (
        Intent.EMERGENCY,
        r"\b(?:call|need|get|send)(?: me)? an? ambulance\b|\b(?:this|it) is an emergency\b",
    ),
    (Intent.EMERGENCY, r"\bcall (?:911|112|999|nine one one)\b"),
    (Intent.LANGUAGE, r"\bdo you speak (?!to\b|with\b)\w+|\b(?:habla|español)\b|\bin spanish\b"),
    (Intent.IDENTITY, r"\bname of (?:this|the|your) (?:business|company|place|office|practice)\b"),
    (Intent.IDENTITY, r"\b(?:have|did) i reach(?:ed)?\b"),
    (Intent.IDENTITY, r"\bwho (?:is|am i) (?:this|talking|speaking|that)\b|\bwho are you\b"),
    (
        Intent.IDENTITY,
        r"\b(?:what is )?your name\b|\bwho do i (?:have|speak)|\bwhat (?:company|busi)",
    ),
    (
        Intent.ROBOT,
        rf"\b(?:are you|is this|talking to|speaking (?:to|with)) (?:an? )?(?:real )?{_MACHINE}\b",
    ),
    (
        Intent.ROBOT,
        rf"\bare you (?:an? )?(?:real|alive|automated|actual)\b|\byou are an? {_MACHINE}",
    ),
    (Intent.ROBOT, r"\bis this (?:an? )?(?:automated|real)\b"),
    (
        Intent.HELP,
        r"\bwhat can (?:you|i) (?:do|ask|say|help)|\bhow (?:can|do) you help|^(?:help|menu)\b",
    ),
    (
        Intent.HELP,
        r"\bcan you help\b|\bwhat (?:are )?(?:my|the) options\b|\bi need (?:some )?help$",
    ),
    (Intent.MESSAGE, rf"\b{_TAKING}\b.*\b(?:message|note|voice ?mail)\b|\bmessage for\b"),
    (Intent.MESSAGE, r"^(?:a )?(?:message|voice ?mail)$|\bcall (?:me|us) back\b|\bcall ?back\b"),
    (Intent.MESSAGE, r"\b(?:have|ask|get|tell) .*\b(?:call|ring|phone|contact) (?:me|us)\b"),
    (
        Intent.MESSAGE,
        r"\b(?:can|could|would|will) (?:someone|somebody|anyone|\w+) (?:call|ring) me\b",
    ),
    (Intent.MESSAGE, r"\bgive me a call\b|\blet (?:him|her|them) know\b|\btell (?:him|her|them)\b"),
    (Intent.PERSON, rf"\b(?:speak|talk|chat)(?:ing)? (?:to|with) {_A_PERSON}\b"),
    (
        Intent.PERSON,
        r"(?:\b(?:can|could|may|might|shall) i |\blet me |\b(?:to|rather|possibly|just) "
        r"|^(?:(?:please|yes|okay|hi|hello|just|no) )*)"
        r"(?:speak|talk|chat) (?:to|with) (?!you\b|your?sel)\w+",
    ),
    (Intent.PERSON, r"\bis (?:dr|mr|mrs|ms|miss) \w+ (?:there|in|available|around)\b"),
    (Intent.PERSON, r"\b(?:someone|somebody|anyone|anybody) (?:i can|to) (?:talk|speak)\b"),
    (Intent.PERSON, r"\b(?:connect|transfer|forward) me\b|\bput me (?:through|on)\b"),
    (
        Intent.PERSON,
        rf"^(?:(?:can|could|may) i |i )?(?:have|get|need|want|give me)? ?(?:to )?{_A_PERSON}$",
    ),
    (
        Intent.PERSON,
        r"\b(?:real|live|actual) (?:person|human)\b|\bis (?:anyone|anybody) (?:in|around)",
    ),
    (Intent.CHANGE, r"\b(?:resched\w+|postpone|rebook)\b"),
    (
        Intent.CHANGE,
        rf"\b(?:change|move|switch|shift|push|bring|swap) (?:\w+ ){{0,4}}{_APPOINTMENT}\b",
    ),
    (Intent.CHANGE, r"\b(?:move|change|switch|shift|push|bring) (?:it|that|this|mine)\b"),
    (Intent.CHANGE, r"\b(?:move|change|switch|shift) (?:my|the|our) \w+(?: \w+)? (?:to|from)\b"),
    (
        Intent.CHANGE,
        r"\b(?:another|different|earlier|later) (?:time|day|date) for (?:my|it)\b"
        r"|^(?:can|could) (?:we|i|you) make it\b|\bcome (?:earlier|later|another day) instead\b",
    ),
    (
        Intent.CANCEL_BOOKING,
        rf"{_NOT_HYPOTHETICAL}\bcancel(?:l?ing)? (?:\w+ ){{0,4}}{_APPOINTMENT}\b",
    ),
    (Intent.CANCEL_BOOKING, rf"{_NOT_HYPOTHETICAL}\b(?:i|we) (?:\w+ ){{0,3}}cancel(?: please)?$"),
    (Intent.CANCEL_BOOKING, rf"{_NOT_HYPOTHETICAL}\bcancel (?:my|our) \w+\b"),
    (Intent.CHANGE, r"\b(?:can|could) (?:we|i|you) (?:\w+ )+instead\b"),
    (Intent.CANCEL_BOOKING, r"\bcan not (?:make|keep|come to) (?:it|my|the|our)\b"),
    (
        Intent.MY_APPOINTMENT,
        rf"\b(?:when|what time|what day|which day) (?:is|are) (?:my|our) (?:\w+ ){{0,2}}"
        rf"{_APPOINTMENT}\b|\bdo (?:i|we) have (?:an?|any) (?:\w+ )?{_APPOINTMENT}\b",
    ),
    (
        Intent.MY_APPOINTMENT,
        rf"\b(?:check|confirm|look up|verify|about|regarding|for|forgot|remember) (?:when )?"
        rf"(?:my|our) (?:\w+ ){{0,2}}{_APPOINTMENT}\b",
    ),
    (
        Intent.MY_APPOINTMENT,
        rf"\b(?:when|what (?:time|day)) (?:\w+ ){{1,3}}{_APPOINTMENT} (?:is|was)\b"
        r"|(?<!can )(?<!could )(?<!may )(?<!should )\bi (?:already )?have an appointment\b",
    ),
    (Intent.BOOK, r"(?<!your )(?<!phone )\b(?:book|booking|reserve|schedule)\b"),
    (Intent.BOOK, r"\bappointments?\b|\breservations?\b"),
    (
        Intent.BOOK,
        r"\b(?:fit|squeeze) me in\b|\b(?:available|free|open) (?:slot|time|appoint)\w*",
    ),
    (
        Intent.BOOK,
        r"\bavailability\b|\bany openings?\b(?! hours)"
        r"|\bcome in (?:on|for|tomorrow|today|this|next|at)\b",
    ),
    (
        Intent.BOOK,
        r"\b(?:anything|something|any ?time|any slots?|a slot|some time|a time|room|space) "
        r"(?:is )?(?:free|available|open|left|for|on|at|today|tomorrow|next|this|in the)\b",
    ),
    (
        Intent.BOOK,
        r"\b(?:can|could|will|would) (?:\w+ ){1,2}see (?:me|us|my \w+)\b|\b(?:be|get) seen\b"
        r"|\bhow soon (?:can|could)\b|\bare you (?:free|available)\b|\bi see (?:dr|the) \w+"
        r"|\b(?:another|one|one more|the same) for (?:my|our|him|her)\b",
    ),
    (Intent.BOOK, r"\b(?:earliest|soonest) (?:you|i|we|that|available|possible|time|date|day)\b"),
    (
        Intent.LATE,
        r"\b(?:running|be|am|minutes|hours?|bit|little) late\b(?! (?:at|night|morning|evening))",
    ),
    (
        Intent.COMPLAINT,
        r"\b(?:unacceptable|ridiculous|outrageous|disgusting|overcharged|charged (?:me )?twice)\b"
        r"|\b(?:want|need|get|like|demand|expect|give me) (?:\w+ ){0,3}(?:refund|money back)\b",
    ),
    (Intent.COMPLAINT, rf"\b{_BAD} (?:service|experience|job|work|attitude)\b"),
    (
        Intent.COMPLAINT,
        r"\b(?:service|treatment|experience|work|people|staff|dentist|dr \w+)"
        rf" (?:is|are|was|were) (?:\w+ )?{_BAD}\b",
    ),
    (
        Intent.COMPLAINT,
        r"\b(?:nobody|no one|never) (?:has |have |ever )*(?:called|rang|phoned|answered|got back)"
        r"|\bwait(?:ing|ed) (?:for |over |more than )*(?:\w+ ){1,2}(?:hours|days|weeks)\b",
    ),
    (Intent.MATTER, r"\bcall(?:ing)? (?:about|regarding|because|concerning|with|in reference)\b"),
    (
        Intent.MATTER,
        r"\bi (?:have|got|had) (?:an? )?(?:\w+ )?(?:question|problem|issue|complaint|concern)\b",
    ),
    (Intent.MATTER, r"\bjob opening|\bhiring\b|\bi (?:got|have|had) an? (?:bill|invoice)\b"),
    (Intent.MATTER, r"^it is (?:about|regarding)\b|\bi (?:want|would like) to complain\b"),
    (Intent.HOURS, r"(?<!\d )(?<!two )(?<!few )\b(?:opening |office |business )?hours\b(?! ago)"),
    (
        Intent.HOURS,
        r"(?<!job )\b(?:open|opens|closed|closing|opening|reopen)\b(?! (?:an?|my|up) )",
    ),
    (Intent.HOURS, r"\bwhen can i come\b|\bhow early\b"),
    (
        Intent.HOURS,  # not "Have a nice weekend!"
        r"(?<!good )(?<!nice )(?<!great )(?<!lovely )(?<!your )\b(?:weekends?|evenings?)\b",
    ),
    (Intent.HOURS, r"\bclose[sd]?\b(?! (?:to|by)\b)|\blunch ?(?:time|break|hour)\b|\bhow late\b"),
    (
        Intent.HOURS,
        r"\bwhat time (?:can i|do you|are you)|\bwhen (?:are|will) you (?:there|back|in)\b",
    ),
    (Intent.HOURS, DAYS_ONLY),
    (
        Intent.ADDRESS,
        r"(?<!email )\baddress\b|\blocat(?:ed|ion)\b|\bwhereabouts\b"
        r"|\b(?:what|which) (?:street|town|city)\b",
    ),
    (
        Intent.ADDRESS,
        rf"\bwhere (?:exactly )?(?:are|is) {_HERE}\b|\bwhere {_HERE}(?: \w+)? (?:are|is)\b",
    ),
    (
        Intent.ADDRESS,
        r"\bwhere (?:do|should|can) i (?:go|come|find|visit)\b|^where$|\bwhere you at\b",
    ),
    (Intent.DIRECTIONS, r"\bdirections?\b|\bget (?:there|to you)\b|\b(?:find|reach) (?:you|it)\b"),
    (
        Intent.DIRECTIONS,
        r"\bpark(?:ing)?\b|\b(?:near|close to|next to|landmark)\b|\bby (?:bus|train)",
    ),
    (Intent.PHONE, r"(?<!my )\b(?:phone|telephone|fax|your|direct) number\b|\bwhat number\b"),
    (Intent.EMAIL, r"(?<!my )\bemail\b|\bwrite to you\b"),
    (Intent.SERVICES, r"\b(?:price|prices|pricing|cost|costs|how much|charge|fees?|rates)\b"),
    (
        Intent.SERVICES,
        r"\bhow long (?:does|do|will|is) (?:\w+ ){1,3}(?:take|last)\b"
        r"|\bservices?\b(?! desk)|\btreatments?\b|\bwhat (?:do|all do) you (?:do|offer)\b",
    ),
    (Intent.GOODBYE, r"\b(?:goodbye|bye)\b|\bsee you\b|\b(?:talk|speak) to you (?:later|soon)\b"),
    (
        Intent.GOODBYE,
        r"\bhave a (?:good|nice|great|lovely)\b|\bgood night\b|\bhang up\b|\btake care\b",
    ),
    (Intent.GOODBYE, r"\bwrong number$|\bi (?:have|need)(?: got)? to (?:go|run)(?: now)?$"),
    (
        Intent.DONE,
        r"\bthat (?:is|was|will be|would be) (?:all|it|everything)\b|^(?:i am )?(?:all )?set$",
    ),
    (
        Intent.DONE,
        r"\bnothing (?:else|more)\b|^no thanks?\b|\bno thank you\b|\bno more questions\b",
    ),
    (Intent.DONE, r"\bi am (?:all )?(?:good|set|done|fine)\b|\bthat all (?:i|for)\b"),
    (
        Intent.REPEAT,
        r"\brepeat\b|\b(?:say|tell me) (?:that|it|this)?(?: \w+)? ?again\b|\bonce more\b",
    ),
    (Intent.REPEAT, r"^(?:come )?again$|\bone more time\b|^(?:i beg your )?pardon\b|\bsay what\b"),
    (Intent.REPEAT, r"\bwhat (?:did|was) (?:you|that)\b|\bwhat you (?:just )?said\b"),
    (
        Intent.REPEAT,
        r"^(?:(?:sorry|no|i am|i|just|but) )*(?:did|could|can|do) not (?:quite )?"
        r"(?:hear|catch|get|understand)(?: (?:you|that|it|this|all|any|what|the)\b.*)?$",
    ),
    (Intent.REPEAT, r"^(?:what|sorry|huh|excuse me)$"),
    (Intent.WAIT, rf"^(?:(?:yes|okay|just|give me|one|a|hold on|please) )*{_A_MOMENT}\b"),
    (
        Intent.WAIT,
        r"^(?:okay |please |no |just )*(?:wait|hold on|hang on|hold the line|bear with me)\b",
    ),
    (Intent.WAIT, r"^let me (?:think|check|see|look|grab|find|get)\b"),
    (
        Intent.CANCEL,
        r"^never mind\b|\bforget (?:it|about it|that)\b|\bscratch that\b|^(?:please )?stop\b",
    ),
    (Intent.CANCEL, r"\bcancel(?: (?:it|that|this|the message))?(?: please)?$"),
    (Intent.CANCEL, r"^(?:(?:no|just|please|okay|then|and) )*leave it\b(?! to)"),
    (Intent.CANCEL, r"\bno message\b|^do not bother\b"),
    (Intent.CANCEL, r"\bdo not (?:want|need) (?:to leave )?(?:a|any|the|that) message\b"),
    (Intent.HEAR_ME, r"\b(?:can|do) you hear me\b|\bare you (?:still )?there\b|\bhello hello\b"),
    (Intent.HEAR_ME, r"\b(?:is )?(?:anyone|anybody|someone|somebody) there\b|^test(?:ing)?\b"),
    (Intent.HOW_ARE_YOU, r"\bhow are you\b(?! open)|\bhow is it going\b|\bhow are things\b"),
    (Intent.THANKS, r"\bthank(?:s| you)\b|\bcheers\b|\bappreciate (?:it|that|your)\b"),
    (Intent.GREETING, r"^(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|howdy)\b"),
    (Intent.GREETING, r"^(?:my name is|this is) \w+(?: \w+)?$"),
    (
        Intent.ACKNOWLEDGE,
        r"^(?:(?:okay|great|perfect|all ?right|got it|i see|cool|good|fine|wonderful|awesome|super"
        r"|excellent|very good|lovely|nice|i understand|understood|right|that is good)\b ?)+$",
    ),
)
PATTERNS = tuple((intent, re.compile(pattern)) for intent, pattern in _TABLE)

VOCABULARY = frozenset(
    [
        *WEEKDAYS,
        *("tomorrow", "tonight", "weekend", "christmas", "thanksgiving", "holiday", "holidays"),
        *("hours", "opening", "closed", "close", "closing", "address", "located", "location"),
        *("directions", "parking", "number", "telephone", "phone", "email", "price", "prices"),
        *("message", "appointment", "booking", "schedule", "speak", "person", "human"),
        *("operator", "manager", "goodbye", "thanks", "thank", "repeat", "again", "pardon"),
        *("service", "services", "cancel", "robot", "where", "there", "these", "those", "right"),
        *(
            "possible",
            "available",
            "because",
            "nobody",
            "really",
            "money",
            "night",
            "something",
            "anything",
            "nothing",
            "everything",
            "someday",
        ),
        *(word for _, pattern in _TABLE for word in re.findall(r"[a-z]{5,}", pattern)),
    ]
)
"""Words that the patterns need, and common ones that must not be taken for them."""


@dataclass(frozen=True, slots=True)
class Found:
    """An intent, and where in the words it was found."""

    intent: Intent
    start: int
    end: int

    @property
    def kind(self) -> Kind:
        return KINDS[self.intent]


def find_intents(words: str) -> list[Found]:
    """Every intent whose pattern fits, at its first place, in the order of the words."""
    found: dict[Intent, Found] = {}
    for intent, pattern in PATTERNS:
        match = pattern.search(words)
        if match and (intent not in found or match.start() < found[intent].start):
            found[intent] = Found(intent, match.start(), match.end())
    return sorted(found.values(), key=lambda one: one.start)
