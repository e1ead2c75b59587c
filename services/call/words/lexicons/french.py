"""French."""

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

_MOMENT = block("instant | moment | seconde | secondes | minute | minutes")
_WEEKDAY = "lundis?|mardis?|mercredis?|jeudis?|vendredis?|samedis?|dimanches?"
_MONTHS = block(
    """janvier | février | mars | avril | mai | juin | juillet | août | septembre | octobre
    | novembre | décembre"""
)
_HOUR = block(
    r"""\d{1,2} | une | deux | trois | quatre | cinq | six | sept | huit | neuf | dix | onze"""
)
_YES = block(
    """oui | ouais | si | bien sûr | d'accord | exactement | exact | tout à fait | absolument
    | c'est (?:ça | bon | exact | correct | parfait) | parfait | volontiers | avec plaisir"""
)
_NO = block(
    """non | pas (?:vraiment | du tout | encore | maintenant) | jamais | aucun | aucune | rien"""
)

FRENCH = Lexicon(
    endings=Endings(
        open_words=a_list(
            """le la les l' un une des du de d' à au aux en dans sur sous avec pour par chez sans
            entre vers jusqu'à et ou mais donc car parce que qu' qui si quand comme mon ma mes notre
            nos votre vos son sa ses leur je j' tu il elle nous on c'est c' est sont suis voudrais
            aimerais très chaque prochain prochaine monsieur madame docteur double triple tiret
            arobase point aussi"""
        ),
        open_endings=at_end(
            r"""je (?:voudrais | veux | m'appelle | suis | cherche) | mon (?:nom | numéro
            | adresse | mail
            | e ?mail)(?: c'est| est)? | c'est le | à partir | afin | est ce que | et (?:quart
            | demie) de
            | j'ai | j'appelle(?: pour)? | il faut"""
        ),
        may_end=at_end(
            """(?:qui | quoi | où) (?:\\S+\\s)*(?:est | c'est | sont) | non plus | moi aussi
            | oui si | je suis là
            | (?:puis | dois | peux | ai) je | est (?:elle | il) | (?:voulez | avez | êtes) vous
            | chez (?:vous | moi | nous) | à nous | que c'est | un point | oui madame | oui monsieur
            | bonjour (?:madame | monsieur) | merci (?:madame | monsieur) | non (?:madame
            | monsieur)
            | (?:voir | avec | pour | chez) (?:vous | nous)"""
        ),
        fillers=at_end(
            """euh+ | heu+ | hum+ | hm+ | ben | bah | eh bien | alors | voyons(?: voir)?
            | attendez voir
            | comment dire | enfin | du coup | tu vois | vous voyez | disons"""
        ),
        restarts=anywhere(
            "non attendez | attendez | pardon | je veux dire | enfin | plutôt | non | excusez moi"
        ),
        restart_endings=at_end(
            r"""(?:\w+\s){2,}(?:pardon | non pardon | non non) | je veux dire | ou plutôt
            | non attendez
            | enfin non"""
        ),
        asks_for_time=anywhere(
            rf"""(?:un | une | juste une? | deux | petite? | quelques) (?:petite?\s)?{_MOMENT}
            | {_MOMENT} s'il vous plaît | ^{_MOMENT}$ | attendez | attends | ne quittez pas
            | patientez
            | (?:laissez moi | je vais | je dois | il faut que je) (?:vérifier? | regarder? | voir
            | chercher? | réfléchir | noter | prendre)"""
        ),
        no_time_asked=anywhere(
            rf"""(?:en | à | dans | pour) (?:un | une | ce | quelques) {_MOMENT}
            | voir (?:le | la | un | une | mon | ma) | chercher (?:un | une) | (?:je dois
            | je vais | il faut que je) prendre
            (?:un )?rendez vous | prendre (?:un | rendez) (?:rendez )?vous"""
        ),
    ),
    answers=Answers(
        yes=at_start(f"{_YES} | ok | okay | bon"),
        no=at_start(f"{_NO} | c'est faux | pas"),
        short=made_of(
            f"""(?:{_YES}|{_NO})(?: (?:merci | s'il vous plaît | s'il te plaît | madame | monsieur
            | bien sûr | c'est ça | ça va | d'accord))* | je ne sais pas | je sais pas | peut être
            | je (?:crois | pense) (?:que oui | pas | que non)"""
        ),
        closings=made_of(
            r"""(?:(?:ok | d'accord | très bien | bon | non | oui | parfait | et)\s)* (?:merci
            | merci (?:beaucoup | bien | à vous) | au revoir | bonne (?:journée | soirée
            | fin de journée)
            | à (?:bientôt | demain | plus tard) | c'est tout | ce sera tout | rien d'autre
            | salut | vous aussi | de même)"""
        ),
        evasions=anywhere(
            """(?:je )?(?:ne )?(?:sais | connais | me souviens) (?:pas | plus) | pourquoi
            | pour quoi faire
            | (?:je )?n'(?:en )?ai pas | j'ai pas | j'en ai pas | aucune idée | comment$
            | pardon$ | quoi$
            | (?:le | la) même | ce numéro | celui ci | vous l'avez | je préfère pas
            | préfère ne pas
            | duquel j'appelle | pas sûr | pas sûre"""
        ),
    ),
    over_agent=OverAgent(
        commands=at_start(
            rf"""stop | arrêtez | arrête | non | attendez | attends | une? (?:petite?\s)?{_MOMENT}
            | {_MOMENT}$ | pardon | excusez moi | excuse moi | écoutez | silence | taisez vous
            | ça suffit
            | moins vite | laissez moi | doucement"""
        ),
        lead_ins=at_start("oui | ok | d'accord | mais | et | euh+ | bon | alors | ah | ben"),
        go_on=made_of(
            r"""(?:(?:non | oui | pardon | ok | d'accord | je vous en prie | excusez moi)\s)*
            (?:continuez | allez y | poursuivez | vas y | pas de (?:problème | souci)
            | je vous écoute
            | c'est pas grave | ce n'est pas grave)"""
        ),
        backchannels=made_of(
            """m+ ?h+m+ | h+m+ | m+ | a+h+ | ah (?:bon | oui | d'accord) | o+h+ | euh+ | oui
            | ouais | ok
            | okay | d'accord | bien | très bien | bon | bien sûr | je vois | je comprends | compris
            | parfait | exactement | exact | tout à fait | super | génial | ça marche | entendu
            | voilà
            | c'est (?:bien | bon | ça) | merci | effectivement"""
        ),
        backchannels_begun=a_list("je tout ça c'est très ah d"),
    ),
    numbers=Numbers(
        words={
            **number_words(
                "zéro|zero un|une deux trois quatre cinq six sept huit neuf",
                "dix onze douze treize quatorze quinze seize dix_sept dix_huit dix_neuf",
                "vingt trente quarante cinquante soixante septante quatre_vingt|quatre_vingts "
                "nonante",
            ),
            **{
                (*ten.split(), "et", "un"): f"{place}1"
                for place, ten in enumerate(
                    ["vingt", "trente", "quarante", "cinquante", "soixante"], 2
                )
            },
            **{
                (*base.split(), *teen.split()): f"{place}{value}"
                for base, place in (("soixante", 7), ("quatre vingt", 9))
                for value, teen in enumerate(
                    [
                        "dix",
                        "onze",
                        "douze",
                        "treize",
                        "quatorze",
                        "quinze",
                        "seize",
                        "dix sept",
                        "dix huit",
                        "dix neuf",
                    ]
                )
            },
            ("soixante", "et", "onze"): "71",
        },
        times={"double": 2, "triple": 3},
        rounds={"cent": "00", "mille": "000"},
        links=a_list("tiret euh puis plus"),
        nouns=anywhere(
            """numéro | téléphone | portable | mobile | code | fixe | joindre au | appeler au
            | rappeler au"""
        ),
        at_words=a_list("arobase at arrobase"),
        dot_words=a_list("point"),
        sign_words={"tiret": "-", "underscore": "_"},
    ),
    calendar=Calendar(
        days=anywhere(
            f"""{_WEEKDAY} | aujourd'hui | demain | après demain | hier | week end
            | (?:la )?semaine prochaine | cette semaine"""
        ),
        months=anywhere(_MONTHS),
        ordinals=anywhere("premier | le \\d{1,2}"),
        clock=anywhere(
            rf"""{_HOUR} heures?(?: (?:\w+ | et (?:quart | demie) | moins le quart))?
            | \d{{1,2}} ?h ?(?:\d\d)? | midi | minuit | (?:le | ce )?(?:matin | soir) | après midi
            | (?:entre | de) {_HOUR} (?:heures )?(?:et | à) {_HOUR}"""
        ),
        any_time=anywhere(
            """n'importe quand | n'importe quel(?:le)? (?:jour | heure) | quand vous voulez
            | peu importe
            | dès que possible | le plus (?:tôt | vite) possible | ça m'est égal"""
        ),
        open_times=at_end(f"(?:entre | de | à partir de) {_HOUR}(?: heures)?"),
    ),
    questions=Questions(
        kinds=(
            (anywhere("(?:adresse )?e ?mail | mail | courriel"), Expectation.EMAIL),
            (anywhere("date de naissance | né | née"), Expectation.BIRTH_DATE),
            (
                anywhere(
                    """numéro de (?:compte | client | commande | dossier | réservation | contrat)
                    | code(?: postal)? | épeler | épelez | s'écrit"""
                ),
                Expectation.CODE,
            ),
            (
                anywhere("numéro | téléphone | vous (?:joindre | rappeler)"),
                Expectation.PHONE,
            ),
            (
                anywhere(
                    """(?:nom | prénom) | comment vous appelez vous | qui (?:est à l'appareil
                    | parle)
                    | à qui ai je l'honneur | c'est de la part de qui"""
                ),
                Expectation.NAME,
            ),
            (anywhere("adresse | où habitez vous"), Expectation.ADDRESS),
            (anywhere("combien | quel âge"), Expectation.NUMBER),
            (anywhere("quand"), Expectation.WHEN),
            (anywhere("quel jour | quelle date"), Expectation.DATE),
            (anywhere("(?:à )?quelle heure"), Expectation.TIME),
        ),
        yes_no=at_start(
            r"""(?:(?:et | alors | donc | bien | merci | parfait
            | très bien)\s)* (?:est ce (?:que | bien
            | correct) | est (?:il | elle) | êtes vous | avez vous | voulez vous | souhaitez vous
            | voudriez vous | puis je vous | c'est (?:bien | ça | correct) | dois je)"""
        ),
        tags=at_end("c'est (?:bien )?(?:ça | correct | exact) | n'est ce pas | d'accord | correct"),
        requests=anywhere(
            """s'il vous plaît | donnez moi | dites moi | (?:puis je | pourrais je) | pouvez vous
            | pourriez vous | j'ai besoin | il me faut"""
        ),
        or_words=a_list("ou"),
    ),
)
