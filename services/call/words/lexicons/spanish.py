"""Spanish. Recognisers drop accents at times, so both spellings stand here."""

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

_MOMENT = block("momento | momentito | segundo | segundito | minuto | minutito")
_WEEKDAY = "lunes|martes|mi[ée]rcoles|jueves|viernes|s[áa]bados?|domingos?"
_MONTHS = block(
    """enero | febrero | marzo | abril | mayo | junio | julio | agosto | septiembre | setiembre
    | octubre | noviembre | diciembre"""
)
_HOUR = block(
    r"""\d{1,2} | una | dos | tres | cuatro | cinco | seis | siete | ocho | nueve | diez | once
    | doce"""
)
_YES = block(
    """sí | si | claro | claro que s[íi] | correcto | exacto | exactamente | por supuesto | vale
    | desde luego | eso es | as[íi] es | perfecto | está bien | esta bien | de acuerdo"""
)
_NO = block("no | nunca | tampoco | para nada | todav[íi]a no | ninguno | nada | claro que no")

SPANISH = Lexicon(
    endings=Endings(
        open_words=a_list(
            """el los las un una unos unas mi mis su sus tu tus nuestro nuestra y e o u pero porque
            que si cuando como donde a al de del en con por para sin sobre entre hasta desde hacia
            según es son está muy me te se le les quiero quisiera necesito tengo puedo quería doble
            triple guion arroba punto cada próximo próxima señor señora doctor don doña también"""
        ),
        open_endings=at_end(
            r"""(?:nombre | n[úu]mero | tel[ée]fono | correo | direcci[óo]n)(?: es(?: el)?)?
            (?<!su nombre)(?<!un correo)(?<!por correo)(?<!por tel[ée]fono) | me llamo
            | me gustar[íi]a
            | y (?:cuarto | media) de | a las | la | lo que | o sea que"""
        ),
        may_end=at_end(
            """as[íi] es | eso es | ^s[íi] | (?:creo | digo | claro) que s[íi] | yo tambi[ée]n
            | eso es todo
            | (?:qu[ée] | qui[ée]n | cu[áa]l | cu[áa]nto | d[óo]nde) (?:\\S+\\s)*(?:es | son
            | está | tengo | necesito
            | quiero | puedo) | ya est[áa] | no (?:puedo | quiero | necesito | tengo)
            | c[óo]mo | un doctor | al doctor | hable usted"""
        ),
        fillers=at_end(
            """eh+ | em+ | este | pues | bueno pues | o sea | a ver | d[ée]jeme ver | mmm | um+
            | c[óo]mo se dice | digamos | es que | entonces"""
        ),
        restarts=anywhere(
            "no espere | perd[óo]n | digo | quiero decir | mejor dicho | corrijo | no"
        ),
        restart_endings=at_end(
            r"""(?:\w+\s){2,}(?:perd[óo]n | digo | no perd[óo]n) | quiero decir | mejor dicho
            | no espere | (?:\w+\s){2,}no no"""
        ),
        asks_for_time=anywhere(
            rf"""(?:un | solo un | dame un | deme un) {_MOMENT} | {_MOMENT} por favor | ^{_MOMENT}$
            | esper[ea](?:me)?(?: (?:un | por | tantito))? | no cuelgue | un ratito
            | (?:d[ée]jeme | d[ée]jame | voy a | tengo que) (?:ver | mirar | buscar | revisar
            | comprobar
            | pensar | checar)"""
        ),
        no_time_asked=anywhere(
            rf"""(?:en | del | cada | hace | tarda) (?:un\s)?{_MOMENT} | segundo (?:piso | nombre
            | apellido)
            | (?:ver | buscar) (?:a | al | un | una)"""
        ),
    ),
    answers=Answers(
        yes=at_start(f"{_YES} | bueno | ok | okay"),
        no=at_start(f"{_NO} | incorrecto | mal"),
        short=made_of(
            f"""(?:{_YES}|{_NO})(?: (?:por favor | gracias | se[ñn]or | se[ñn]ora | correcto | claro
            | est[áa] bien | muchas gracias | es correcto))* | no (?:lo )?s[ée] | quiz[áa]s?
            | tal vez
            | creo que (?:s[íi] | no)"""
        ),
        closings=made_of(
            r"""(?:(?:vale | ok | bueno | perfecto | no | s[íi] | muy bien | pues | y)\s)*
            (?:gracias | muchas gracias | much[íi]simas gracias | adi[óo]s | hasta (?:luego | pronto
            | mañana) | chao | chau | nada m[áa]s | eso es todo | es todo | eso ser[íi]a todo
            | que tenga (?:un )?buen d[íi]a | buen d[íi]a | buenas (?:tardes | noches)
            | igualmente)"""
        ),
        evasions=anywhere(
            """no (?:lo )?(?:s[ée] | recuerdo | tengo | quiero | me acuerdo) | por qu[ée]
            | para qu[ée]
            | no estoy segur[oa] | ni idea | c[óo]mo(?: dice)?$ | perd[óo]n$ | (?:el | este) mismo
            | este n[úu]mero | ya (?:lo | la) tiene | prefiero no | desde el que llamo | ninguno"""
        ),
    ),
    over_agent=OverAgent(
        commands=at_start(
            rf"""para | pare | alto | basta | no | espera | espere | esp[ée]rate | un {_MOMENT}
            | {_MOMENT}$ | perd[óo]n | perdone | disculpe | disculpa | oiga | oye | c[áa]llate
            | silencio
            | m[áa]s despacio | d[ée]jeme"""
        ),
        lead_ins=at_start("s[íi] | ok | okay | vale | pero | y | eh+ | bueno | pues | ya | ah"),
        go_on=made_of(
            r"""(?:(?:no | s[íi] | perd[óo]n | ok | vale | por favor | disculpe)\s)* (?:siga | sigue
            | contin[úu]e | contin[úu]a | adelante | no hay problema | no pasa nada | le escucho
            | tranquil[oa])"""
        ),
        backchannels=made_of(
            """m+ ?h+m+ | m+ | aj[áa] | a+h+ | o+h+ | eh+ | s[íi] | ya | ok | okay | vale | bien
            | muy bien | bueno | claro | claro que s[íi] | entiendo | entendido | ya veo | perfecto
            | exacto | correcto | de acuerdo | genial | est[áa] bien | por supuesto | as[íi] es
            | gracias"""
        ),
        backchannels_begun=a_list("muy de está esta por así asi"),
    ),
    numbers=Numbers(
        words={
            **number_words(
                "cero uno|un|una dos tres cuatro cinco seis siete ocho nueve",
                "diez once doce trece catorce quince dieciséis|dieciseis diecisiete dieciocho "
                "diecinueve",
                "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
                joint="y",
            ),
            **{
                (f"veinti{unit}",): f"2{value}"
                for value, unit in enumerate(
                    ["uno", "dós", "trés", "cuatro", "cinco", "séis", "siete", "ocho", "nueve"], 1
                )
            },
            ("veintidos",): "22",
            ("veintitres",): "23",
            ("veintiseis",): "26",
        },
        times={"doble": 2, "triple": 3},
        rounds={"cientos": "00", "cien": "00", "mil": "000"},
        links=a_list("guion guión eh luego más"),
        nouns=anywhere(
            """n[úu]mero | tel[ée]fono | m[óo]vil | celular | c[óo]digo | ll[áa]m[ea]me al
            | (?:mi | el) fijo"""
        ),
        at_words=a_list("arroba"),
        dot_words=a_list("punto"),
        sign_words={"guion": "-", "guión": "-"},
    ),
    calendar=Calendar(
        days=anywhere(
            f"""{_WEEKDAY} | hoy | mañana | pasado mañana | ayer | fin de semana
            | (?:la )?(?:pr[óo]xima | esta) semana | la semana que viene"""
        ),
        months=anywhere(_MONTHS),
        ordinals=anywhere("primero | el (?:d[íi]a )?\\w+ de"),
        clock=anywhere(
            rf"""(?:a )?las? {_HOUR}(?: (?:y (?:media | cuarto | \w+) | menos \w+ | en punto
            | de la (?:mañana | tarde | noche)))? | mediod[íi]a | medianoche
            | (?:por | en) la (?:mañana | tarde | noche) | \d{{1,2}} \d\d"""
        ),
        any_time=anywhere(
            """cuando (?:sea | quiera | pueda | usted) | cualquier(?:a)? (?:d[íi]a | hora)?
            | me da igual
            | lo antes posible | cuanto antes"""
        ),
        open_times=at_end(f"(?:entre | de | desde) las? {_HOUR} | a las"),
    ),
    questions=Questions(
        kinds=(
            (anywhere("correo(?: electr[óo]nico)? | e ?mail | mail"), Expectation.EMAIL),
            (anywhere("fecha de nacimiento | naci[óo] | nacimiento"), Expectation.BIRTH_DATE),
            (
                anywhere(
                    """n[úu]mero de (?:cuenta | cliente | pedido | referencia | p[óo]liza | reserva)
                    | c[óo]digo(?: postal)? | deletrear | deletree | c[óo]mo se escribe"""
                ),
                Expectation.CODE,
            ),
            (
                anywhere("n[úu]mero | tel[ée]fono | m[óo]vil | celular | d[óo]nde .*llamar"),
                Expectation.PHONE,
            ),
            (
                anywhere(
                    """nombre | apellidos? | c[óo]mo se llama | con qui[ée]n hablo
                    | qui[ée]n (?:habla
                    | llama)"""
                ),
                Expectation.NAME,
            ),
            (anywhere("direcci[óo]n | domicilio | d[óo]nde vive"), Expectation.ADDRESS),
            (anywhere("cu[áa]nt[oa]s?"), Expectation.NUMBER),
            (anywhere("cu[áa]ndo"), Expectation.WHEN),
            (anywhere("qu[ée] (?:d[íi]a | fecha)"), Expectation.DATE),
            (anywhere("(?:a )?qu[ée] hora"), Expectation.TIME),
        ),
        yes_no=at_start(
            r"""(?:(?:y | bueno | vale | perfecto | gracias | entonces)\s)* (?:es | est[áa] | tiene
            | quiere | desea | le gustar[íi]a | puedo (?:llamar | ayudar) | hay | son | le parece
            | quisiera)"""
        ),
        tags=at_end("correcto | verdad | no | s[íi] | de acuerdo | est[áa] bien | vale"),
        requests=anywhere(
            """por favor | d[íi]game | me (?:da | dice | puede | podr[íi]a | indica)
            | (?:puede | podr[íi]a) (?:darme | decirme | repetir) | necesito | ind[íi]queme"""
        ),
        or_words=a_list("o u"),
    ),
)
