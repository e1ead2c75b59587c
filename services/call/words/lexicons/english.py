"""English."""

from __future__ import annotations

from services.call.words.lexicons.english_topics import CALENDAR, NUMBERS, QUESTIONS
from services.call.words.lexicons.lexicon import (
    Answers,
    Endings,
    Lexicon,
    OverAgent,
    a_list,
    anywhere,
    at_end,
    at_start,
    block,
    made_of,
)

_SOUNDS = block(
    """m+ ?h+m+ | mh+m+ | m+ | h+m+ | u+h+ ?h+u+h+ | huh | aha | a+h+ | o+h+ | ooh | u+h+ | u+m+
    | er+m?"""
)
"""Sounds that stand for listening, as recognisers spell them."""
_MOMENT = block("sec | secs | second | seconds | moment | moments | minute | minutes | mo | tick")
_WH = block("what | what's | where | where's | who | who's | which | how | how's | when | whatever")
_PRONOUN = block("it | he | she | that | this | they | you | i | we | there")
_OPENING = block(
    r"""^ | (?:and | so | because | but | well | hi | hello | hey | uh | um | yes | yeah | okay | ok
    | no)\s"""
)
_NUMBER_NOUN = r"(?:(?:phone|cell|mobile|telephone|contact|callback|best)\s)*number"

_ENDINGS = Endings(
    open_words=a_list(
        """the a an my your our their and or but nor because cause if unless although though while
        whether than as to of for with from into onto by until till between among without against
        at in on via per is are was were be been being isn't i'm im it's its that's thats there's
        he's she's they're we're you're what's where's who's i'd i'll i've we'd we'll we've you'd
        they'd he'd she'd would could should might must shall will has had which whose every
        quite mr mrs ms dr plus double triple treble underscore hyphen dash dot slash next around
        about except including regarding concerning"""
    ),
    open_endings=at_end(
        rf"""(?:i'd | i would | we'd | we would) like
        | {_OPENING}(?:i | we) (?:need | want | have | have got | wanted | am | can | just)
        | half past | quarter (?:past | to | of) | (?:was | were | kind | sort) (?:like | of)
        | (?:if | whether) (?:i | you | we | they) (?:have | had | are | can | could | would | will)
        | area code | (?:\d+ | zero | oh | one | two | three | four | five | six | seven | eight
        | nine)
        (?:extension | ext) | ^(?:\w+\s){{0,2}}my (?:name | e ?mail(?: address)? | address
        | {_NUMBER_NOUN})
        | as (?:well | soon | long) as | in (?:order | case) | such as | so that
        | make sure(?: that)?
        | (?:thing | problem | point | issue | question) is(?: that)?
        | (?:a | the) (?:couple | bit | lot | number) of | the thing | another | very
        | i was (?:just )?(?:wondering | calling | hoping | thinking)
        | (?:i'm | i am) (?:just )?(?:calling | looking | wondering | trying | hoping)
        | to (?:get | make | book | ask | have | do | be)(?= *$)(?<!what to do)(?<!how to do)
        | ^(?:can | could | may | do | would | will) (?:i | you | we)(?: (?:please | just | get
        | have | make | tell))?"""
    ),
    may_end=at_end(
        rf"""{_WH}(?: \S+)+ (?:for | to | about | with | from | at | in | on | of | by | like)
        | (?:what | where | who | how | if | than | as | think | know | guess | suppose | wish)
        (?:\S+\s)*{_PRONOUN} (?:is | are | was | were | could | would | should | might | will)
        | (?:yes | yeah | yep) {_PRONOUN} (?:is | are | was | were | will | would | has | had)
        | (?:i | we) (?:would | could | should | will | had | was)
        | (?:hold | hang | go | going | carry | carrying | move | moving | later | early | so) on
        | (?:turn | turned | put | switch | has | left | keep) (?:\w+\s){{0,2}}on
        | (?:come | came | coming | log | logged | check | drop | stay | walk | pop | sign | call
        | stop | fill | get | going) in
        | (?:get | got | come | coming | stop | drop | swing | pass | ask | look) (?:by | around)
        | (?:bring | put | take | let | squeeze | fit) \w+ in
        | is (?:dr \w+ | the \w+ | he | she | anyone | anybody | somebody | someone) in
        | (?:what's | who's | comes | come | up) next
        | (?:would | i'd | we'd | you'd) love to | if (?:you | i | we) (?:want | have | need) to
        | (?:don't | didn't | doesn't | do not) (?:want | have | need | like) to
        | (?:happy | glad | supposed | used | meant) to
        | (?:name is | name's | i'm | this is) will
        | (?:taken care | heard | thought | think | know) of | (?:think | talk | worry) about
        | (?:looking | look | need | asked | asking | waiting | wait | care | pay | paid) for it
        | (?:calling | call | come | comes | phoning | ringing) from | day to day | face to face"""
    ),
    fillers=at_end(
        r"""u+m+ | u+h+ | er+m? | (?<!m )h+m+ | let me see | let's see | lets see | let me think
        | (?<!do )(?<!did )(?<!let )(?<!would )(?<!as )you know | i mean
        | ^(?:(?!as\b|very\b)\w+\s)?well
        | (?<!think )(?<!hope )(?<!guess )(?<!thought )(?<!suppose )(?<!believe )(?<!say )(?<!said )
        (?<!afraid )(?<!ever )(?<!or )so | basically | what's it called
        | how do (?:i | you) (?:say | put) (?:it | this | that) | it's like | let's say"""
    ),
    restarts=anywhere(
        r"""no wait | wait no | wait | no sorry | sorry | i mean | or rather | scratch that
        | correction | make that | let me start (?:again | over) | start over | actually | no"""
    ),
    restart_endings=at_end(
        r"""no wait | wait no | (?<!can't )(?<!to )(?<!cannot )(?<!can )(?<!the )wait
        | (?:\w+\s){2,}no (?:sorry | actually) | (?:\w+\s){2,}i mean | or rather | scratch that
        | (?:\d+ | zero | oh | one | two | three | four | five | six | seven | eight | nine)
        (?:no | sorry | actually) | correction | (?:^ | (?:no | actually | or
        | wait) )make (?:that | it) | oh (?:sorry | wait | no)
        | let me start (?:again | over)"""
    ),
    asks_for_time=anywhere(
        rf"""(?:just | only | one | a | half a | another | two | couple | few) (?:quick )?{_MOMENT}
        | {_MOMENT} please | hang on | hold on | hold the line | bear with me
        | (?:let me | lemme | i'll | i will | i need to | i have to | i've got to | i gotta
        | i'm going to)(?: (?:just | quickly | go | go and | have a))* (?:check | look | find | get
        | grab | fetch | see | think | ask | pull | open | write | dig)
        | (?:i'm | i am) (?:just )?(?:looking | checking | finding | getting | pulling)
        | (?:just )?give me (?:a | one | just | two) {_MOMENT} | where (?:did | have) i (?:put
        | leave)
        | ^(?:\w+\s){{0,2}}wait(?: (?:up | please | there | wait | for me))*$
        | can you (?:wait | hold) | don't (?:hang up | go away) | be right (?:back | with you)"""
    ),
    no_time_asked=anywhere(
        rf"""second (?:opinion | appointment | time | of | one | visit | floor | street | avenue
        | job | child | hand | half) | (?:the | every | per | this | any | last) {_MOMENT}
        | (?:do | did | have | has | got | if) (?:you )?(?:have | got)?\s?(?:a | one) {_MOMENT}
        | (?:takes? | took | in | within | for | about) (?:just )?(?:a | one | another
        | few) {_MOMENT}
        | {_MOMENT} (?:ago | away | walk | drive | later | late | early) | hold on to
        | (?:need to | have to | got to | i'll | let me | going to) (?:see | get | find | ask)
        (?:a | an | the doctor | the dentist | dr | someone | somebody | in | to | back | home | out
        | there | it | some | you | rid | my (?:tooth | teeth | hair | car | eyes | back))
        | (?:i'm | i am) (?:just )?(?:looking | getting) (?:for (?:a | an | some | the) | forward
        | to | married | a | an
        | into | some | at) | can't (?:hold | wait)"""
    ),
)

_YES = block(
    r"""yes | yeah | yep | yup | yea | yah | ya | sure | sure thing | correct | exactly | absolutely
    | definitely | certainly | indeed | of course | sounds (?:good | great | right | perfect | fine)
    | (?:that's | thats | that is) (?:right | correct | it | fine | good | great | perfect | okay
    | ok)
    | that (?:works | will do | would be (?:great | good | fine | lovely | perfect)) | please do
    | that'd be (?:great | good | fine | lovely | perfect) | affirmative | u+h+ h+u+h+ | m+ ?h+m+"""
)
_NO = block(
    r"""no | nope | nah | not really | not (?:yet | now | today | at all | quite | exactly) | never
    | of course not | never mind | none | negative | i (?:don't | do not) think so"""
)
_COURTESY = block(
    r"""please | thanks | thank you | ma'am | sir | okay | ok | alright | all right | perfect
    | great | fine | so much | very much | go ahead | i think so | i guess so
    | (?:it | that | he | she | they | we) (?:does | is not | isn't | doesn't | did | didn't
    | aren't)
    | i (?:do | am | did | have | can | would | will | don't | didn't | haven't | can't | wouldn't)
    | (?:i'm | it's | that's) not | (?:i would | i'd) (?:love | like) (?:that | to)"""
)
_ANSWERS = Answers(
    yes=at_start(f"{_YES} | okay | ok | alright | all right | right | perfect | great | fine"),
    no=at_start(f"{_NO} | that's (?:wrong | not) | incorrect | wrong | not"),
    short=made_of(
        rf"""(?:(?:u+h+|u+m+|oh|well|ah)\s)?(?:{_YES}|{_NO})(?: {_COURTESY})*
        | (?:yes | yeah | yep) {_PRONOUN} (?:is | are | was | were | has | had) | i don't know
        | i think so | i guess so | maybe | neither | both | either(?: one | is fine | works)?"""
    ),
    closings=made_of(
        r"""(?:(?:okay | ok | alright | all right | great | perfect | well | no | yes | yeah | and
        | oh)\s)* (?:thank you | thanks | many thanks | cheers | bye | bye bye | goodbye | good bye
        | see you(?: (?:soon | later | then | tomorrow))? | take care | good night
        | thank(?: you | s) (?:so | very) much | thanks a lot | i appreciate it | you too
        | talk (?:soon | later | to you (?:soon | later))
        | (?:you )?have a (?:good | great | nice | lovely) (?:day | one | evening | weekend | night)
        | that's (?:all | it | everything) | that is (?:all | it) | that(?: wi|')ll be all
        | nothing (?:else | more) | i'm (?:good | all set) | for (?:your | the) (?:help | time)
        | that's all (?:i needed | for now | for today))"""
    ),
    evasions=anywhere(
        r"""(?:i\s)?(?:don't | dont | do not | didn't) (?:know | remember | recall | have | want
        | use)
        | no idea | not sure | can't (?:remember | recall | say | tell) | forgot | forgotten
        | i haven't | i have (?:no | not) | never mind | why | what for
        | what (?:do | would | are) you (?:need | want | mean) | is that (?:necessary | needed)
        | do (?:you | i) (?:really )?(?:need | have to) | (?:rather | prefer) not
        | not (?:going | comfortable | willing) | none | skip (?:it | that | this) | pardon
        | what was that | (?:say | repeat) (?:that | it | the question) | come again
        | (?:what | sorry | excuse me | hello)$ | same (?:number | one | as)
        | (?:this | that) (?:number | one) | calling from | on file | in (?:your | the) system
        | you (?:already )?(?:have | should have | got) (?:it | my | that)
        | already (?:told | gave | said) | (?:speak | talk) (?:to | with)
        | call (?:this | that) | private | withheld"""
    ),
)

_OVER_AGENT = OverAgent(
    commands=at_start(
        rf"""stop(?! (?:by|over|in)\b) | wait | hold on | hang on | hold up | hold it | excuse me
        | sorry | i'm sorry | pardon | (?:just )?(?:one | a) {_MOMENT} | {_MOMENT}$ | no | nope
        | nah
        | shut up | be quiet | quiet | shush | sh+ | enough | that's enough | cancel | listen
        | let me | forget it | never mind | operator | not (?:that | yet | so fast) | slow down
        | too fast | hey"""
    ),
    lead_ins=at_start(
        r"""okay | ok | yeah | yes | but | and | u+m+ | u+h+ | er+m? | well | ah | please | right
        | so | all right | alright"""
    ),
    go_on=made_of(
        r"""(?:(?:no | oh | sorry | i'm sorry | okay | ok | yes | yeah | please | you | just | uh
        | um | that's)\s)* (?:go on | go ahead | carry on | continue | keep going
        | no problem(?: at all)?
        | no worries | it's (?:fine | okay | ok) | don't worry | i'm listening | still here
        | i'm here | not a problem | no rush | take your time | you're fine | all good)"""
    ),
    backchannels=made_of(
        rf"""{_SOUNDS} | yes | yeah | yep | yup | yea | yah | ya | okay | ok | okey | k
        | okie dokie | right | all ?right | alright | i see | i got (?:it | you | that)
        | got (?:it | you | that) | gotcha | sure | good | great | fine | cool | nice | wow
        | perfect
        | exactly | correct | true | absolutely | definitely | really | interesting | awesome
        | lovely | excellent | wonderful | of course | makes sense | that makes sense | fair enough
        | i (?:understand | understood) | understood | sounds (?:good | great)
        | that's (?:right | good | great | fine | true | nice | cool | okay | perfect)
        | very (?:good | nice) | thank you | thanks | okay thanks"""
    ),
    backchannels_begun=a_list("i got all that that's makes fair sounds very of thank uh okie"),
)

ENGLISH = Lexicon(
    endings=_ENDINGS,
    answers=_ANSWERS,
    over_agent=_OVER_AGENT,
    numbers=NUMBERS,
    calendar=CALENDAR,
    questions=QUESTIONS,
)
