"""German."""

from __future__ import annotations

from services.call.words.lexicons.lexicon import (
    Answers,
    Calendar,
    Endings,
    Lexicon,
    Numbers,
    OverAgent,
    Questions,
    a_list,
    anywhere,
    at_end,
    at_start,
    block,
    made_of,
    number_words,
)
from services.call.words.readiness import Expectation

_MOMENT = block("moment | momentchen | sekunde | sekündchen | minute | augenblick")
_WEEKDAY = "(?:mon|diens|donners|frei|sams|sonn)tags?|mittwochs?|sonnabend"
_MONTHS = block(
    """januar | jänner | februar | märz | april | mai | juni | juli | august | september | oktober
    | november | dezember"""
)
_HOUR = block(
    r"""\d{1,2} | eins? | zwei | drei | vier | fünf | sechs | sieben | acht | neun | zehn | elf
    | zwölf"""
)
_YES = block(
    """ja | jo | jawohl | genau | richtig | stimmt | klar | natürlich | sicher | gerne | gern
    | auf jeden fall | selbstverständlich | das (?:stimmt | passt | ist richtig) | passt | doch"""
)
_NO = block("nein | nee | nö | nicht | eigentlich nicht | auf keinen fall | keine | noch nicht")

GERMAN = Lexicon(
    endings=Endings(
        open_words=a_list(
            """der den dem des ein einen einem eines einer mein meine meinen meinem meiner unser
            unsere ihre ihren ihrem und oder aber weil dass wenn ob obwohl damit für von bei zum zur
            im am vom beim in um bis ohne gegen wegen zwischen als sowie denn sondern ich wir möchte
            würde hätte könnte doppel unterstrich bindestrich punkt jede jeden nächste nächsten
            nächster herr frau sehr ganz also halt quasi sozusagen"""
        ),
        open_endings=at_end(
            r"""(?:name | nummer | adresse | mail | das | es) (?:ist | lautet) | ich (?:bin | habe
            | wollte | brauche | möchte gerne | hätte gerne) | mein name | meine (?:nummer | mail
            | adresse) | halb | viertel (?:vor | nach) | es geht um | ab | so gegen | gegen | die"""
        ),
        may_end=at_end(
            """(?:wer | was | wo | wie | wann | warum) (?:\\S+\\s)*(?:ich | wir) | (?:bin | habe
            | kann
            | muss | soll | darf) (?:ich | wir) | ja sehr | also gut | für den | der punkt"""
        ),
        fillers=at_end(
            """äh+ | ähm+ | öh+ | öhm+ | hm+ | mal (?:sehen | schauen | gucken) | sagen wir | also
            | ja also | moment mal | wie soll ich sagen | wie heißt das"""
        ),
        restarts=anywhere(
            """nein | nee | quatsch | entschuldigung | ich meine | beziehungsweise | besser gesagt
            | falsch | moment | noch ?mal"""
        ),
        restart_endings=at_end(
            r"""(?:\w+\s){2,}(?:nein | nee | quatsch | entschuldigung) | ich meine | besser gesagt
            | beziehungsweise | nein moment | nochmal von vorne?"""
        ),
        asks_for_time=anywhere(
            rf"""(?:einen? | kleinen?) (?:kleinen? | kurzen? )?\s?{_MOMENT} | {_MOMENT} (?:bitte
            | mal)
            | ^{_MOMENT}$ | (?:warten | warte) (?:sie )?(?:kurz | mal | bitte | einen)
            | ich (?:schaue | schau | gucke | guck | sehe | hole | suche | muss)
            (?:\w+\s)?(?:mal | kurz | eben | schnell | nachsehen | nachschauen | suchen)
            | bleiben sie dran | lassen sie mich (?:kurz | mal | eben | nach)"""
        ),
        no_time_asked=anywhere(rf"(?:im | jeden | diesen | letzten) {_MOMENT}"),
    ),
    answers=Answers(
        yes=at_start(f"{_YES} | okay | ok | gut"),
        no=at_start(f"{_NO} | falsch | das ist falsch"),
        short=made_of(
            f"""(?:{_YES}|{_NO})(?: (?:bitte | danke | gerne | gern | genau | richtig | das stimmt
            | das passt | ist richtig | vielen dank))* | vielleicht | weiß ich nicht
            | ich weiß (?:es )?nicht | beides"""
        ),
        closings=made_of(
            r"""(?:(?:okay | ok | gut | ja | nein | super | alles klar | und)\s)*
            (?:danke | danke schön | dankeschön | vielen dank | besten dank | tschüss | tschüs
            | auf wiedersehen | auf wiederhören | wiederhören | schönen tag(?: noch)? | bis dann
            | bis (?:bald | morgen) | das war'?s(?: schon)? | das wäre alles | das ist alles | ciao
            | danke (?:sehr | ihnen) | ihnen auch | gleichfalls)"""
        ),
        evasions=anywhere(
            r"""weiß ich (?:\w+\s)?nicht | ich weiß (?:\w+\s){0,2}nicht | warum | wieso | wozu
            | wofür
            | habe ich (?:nicht | keine?) | habe? keine? | keine ahnung | wie bitte
            | (?:dieselbe | die gleiche | diese) (?:nummer)? | mit der ich (?:anrufe | telefoniere)
            | steht (?:im | in) | möchte ich nicht | (?:will | möchte) nicht | haben sie (?:doch
            | schon)"""
        ),
    ),
    over_agent=OverAgent(
        commands=at_start(
            rf"""stopp | stop | halt | nein | nee | warte | warten sie | moment | einen? {_MOMENT}
            | sekunde | entschuldigung | entschuldigen sie | verzeihung | ruhe | aufhören
            | hören sie auf | genug | langsam | nicht so schnell | lassen sie mich"""
        ),
        lead_ins=at_start("ja | okay | ok | aber | und | äh+ | ähm+ | hm+ | also | bitte | gut"),
        go_on=made_of(
            r"""(?:(?:nein | ja | okay | entschuldigung | bitte | sie)\s)* (?:weiter
            | machen sie weiter
            | reden sie weiter | fahren sie fort | sprechen sie weiter | kein problem | schon gut
            | alles gut | ich höre(?: zu)?)"""
        ),
        backchannels=made_of(
            """m+ ?h+m+ | mh+m*  | h+m+ | m+ | aha | a+h+ | ach so | achso | ach | o+h+ | ä+h+m*
            | ja
            | jo | jaja | okay | ok | gut | genau | richtig | stimmt | klar | alles klar | verstehe
            | ich verstehe | verstanden | super | prima | toll | schön | sehr (?:gut | schön)
            | perfekt | natürlich | sicher | so so | interessant | danke | passt | in ordnung"""
        ),
        backchannels_begun=a_list("alles ich sehr so in"),
    ),
    numbers=Numbers(
        words={
            **number_words(
                "null eins zwei|zwo drei vier fünf sechs sieben acht neun",
                "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
                "zwanzig dreißig|dreissig vierzig fünfzig sechzig siebzig achtzig neunzig",
                joint="und",
                unit_first=True,
            ),
            **{
                (f"einund{ten}",): f"{place}1"
                for place, ten in enumerate(
                    [
                        "zwanzig",
                        "dreißig",
                        "vierzig",
                        "fünfzig",
                        "sechzig",
                        "siebzig",
                        "achtzig",
                        "neunzig",
                    ],
                    2,
                )
            },
        },
        times={"doppel": 2, "doppelt": 2, "zweimal": 2, "dreimal": 3},
        rounds={"hundert": "00", "tausend": "000"},
        links=a_list("und dann strich bindestrich äh ähm vorwahl plus"),
        nouns=anywhere(
            """nummer | telefon | handy | handynummer | telefonnummer | vorwahl | postleitzahl
            | kundennummer | unter der | erreichbar unter"""
        ),
        at_words=a_list("at ät klammeraffe"),
        dot_words=a_list("punkt dot"),
        sign_words={"unterstrich": "_", "bindestrich": "-", "minus": "-", "strich": "-"},
    ),
    calendar=Calendar(
        days=anywhere(
            f"""{_WEEKDAY} | heute | morgen | übermorgen | gestern | wochenende
            | (?:nächste | diese | kommende) woche"""
        ),
        months=anywhere(_MONTHS),
        ordinals=anywhere(
            r"""\w+(?:zehn|zwanzig|dreißig)?(?:ste|sten|te|ten)(?<!bitte)(?<!heute)(?<!nächsten)
            (?<!ersten) | ersten? | dritten?"""
        ),
        clock=anywhere(
            rf"""{_HOUR} uhr(?: \w+)? | halb {_HOUR} | viertel (?:vor | nach) {_HOUR} | mittags?
            | mitternacht | vormittags? | nachmittags? | abends? | früh
            | zwischen {_HOUR} und {_HOUR}"""
        ),
        any_time=anywhere(
            """jederzeit | egal | so (?:bald | schnell) wie möglich | möglichst bald | ist mir egal
            | immer | wann (?:sie wollen | es passt)"""
        ),
        open_times=at_end(
            f"(?:zwischen | von | ab) {_HOUR}(?: uhr)? | halb | viertel (?:vor | nach)"
        ),
    ),
    questions=Questions(
        kinds=(
            (anywhere("e ?mail ?(?:adresse)?"), Expectation.EMAIL),
            (anywhere("geburtsdatum | geboren | geburtstag"), Expectation.BIRTH_DATE),
            (
                anywhere(
                    r"""(?:kunden | bestell | auftrags | rechnungs | vertrags | versicherungs
                    | konto)
                    \s?nummer | postleitzahl | pin | code | buchstabieren"""
                ),
                Expectation.CODE,
            ),
            (
                anywhere(
                    r"""(?:telefon | handy | mobil | rück\w*)?nummer | (?:wie | wo) .*erreichen"""
                ),
                Expectation.PHONE,
            ),
            (
                anywhere(
                    r"""(?:vor | nach | familien)?namen? | wie heißen sie | mit wem | wer spricht
                    | wer ist (?:da | am)"""
                ),
                Expectation.NAME,
            ),
            (anywhere("adresse | anschrift | wo wohnen sie"), Expectation.ADDRESS),
            (anywhere("wie ?viele? | wie (?:alt | lange | oft | groß)"), Expectation.NUMBER),
            (anywhere("wann"), Expectation.WHEN),
            (
                anywhere("(?:welche[rnms]? | an welchem | der) (?:\\w+\\s)?(?:tag | datum)"),
                Expectation.DATE,
            ),
            (
                anywhere("welche (?:uhr)?zeit | um wie ?viel uhr | welcher uhrzeit | uhrzeit"),
                Expectation.TIME,
            ),
        ),
        yes_no=at_start(
            r"""(?:(?:und | also | okay | gut | danke | dann | super | prima)\s)* (?:ist | sind
            | haben
            | hat | soll | sollen | möchten | wollen | kann ich | darf ich (?:sie | ihnen) | stimmt
            | passt | war | werden | wollen)"""
        ),
        tags=at_end("richtig | oder | stimmt das | korrekt | ja | nicht wahr | okay | recht"),
        requests=anywhere(
            """bitte | sagen sie mir | nennen sie | geben sie | (?:kann | könnte | dürfte
            | darf) ich
            | (?:können | könnten | würden) sie | ich (?:bräuchte | brauche) | buchstabieren"""
        ),
        or_words=a_list("oder"),
    ),
)
