"""TwiML, read as strictly as can be: what is performed, and everything that is wrong with it. Pure.

Twilio forgives some of what is an error here; a test that must know the difference looks at what
was performed. Codes: https://www.twilio.com/docs/api/errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from tests.simulators.carrier.grammar import ELEMENTS, FINAL, VERBS

MAX_BYTES = 64 * 1024
CONTENT_TYPES = frozenset({"text/xml", "application/xml", "text/html"})


@dataclass(slots=True)
class Document:
    """``verbs`` in order. ``url``: what relative URLs are relative to; empty for a document that
    came by REST. ``is_lost``: it cannot be performed at all, and the fallback is asked."""

    url: str
    verbs: list[ElementTree.Element] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    is_lost: bool = False

    def absolute(self, target: str) -> str:
        """A URL out of the document, with its host."""
        return urljoin(self.url, target)


def read_answer(status: int, content_type: str, body: bytes, url: str) -> Document:
    """The document in an HTTP answer to a request of ``url``."""
    if not 200 <= status < 300:
        what = f"HTTP {status}" if status else "no answer"
        return Document(url, errors=[f"11200: {what} from {_path(url)}"], is_lost=True)
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in CONTENT_TYPES:
        error = f"12300: {_path(url)} answered with the content type {content_type!r}"
        return Document(url, errors=[error], is_lost=True)
    if len(body) > MAX_BYTES:
        error = f"11750: {len(body)} bytes of TwiML from {_path(url)}; the limit is 64 kB"
        return Document(url, errors=[error], is_lost=True)
    return read(body, url)


def read(body: bytes | str, url: str) -> Document:
    """The document in a text; see :class:`Document` for ``url``."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        return Document(url, errors=[f"12100: not XML: {error}"], is_lost=True)
    if root.tag != "Response":
        return Document(url, errors=[f"12200: <{root.tag}>, not <Response>"], is_lost=True)
    document = Document(url)
    if root.attrib or (root.text or "").strip():
        document.errors.append("12200: <Response> holds text or attributes")
    for place, verb in enumerate(root):
        if verb.tag not in VERBS:
            document.errors.append(f"12200: <{verb.tag}> is no verb")
            continue
        if verb.tag == "Reject" and place:
            document.errors.append("<Reject> counts only as the first verb")
        if document.verbs and document.verbs[-1].tag in FINAL:
            document.errors.append(f"<{verb.tag}> after <{document.verbs[-1].tag}> is not reached")
        document.verbs.append(verb)
        _check(verb, document)
    return document


def _check(element: ElementTree.Element, document: Document) -> None:
    rule, tag = ELEMENTS[element.tag], element.tag
    for name, value in element.attrib.items():
        check = rule.attributes.get(name)
        if check is None:
            document.errors.append(f"12200: <{tag}> has an unknown attribute {name!r}")
        elif wanted := check(value):
            document.errors.append(f"12200: <{tag} {name}={value!r}>: expected {wanted}")
        elif not document.url and name in ("action", "url") and not urlsplit(value).scheme:
            document.errors.append(f"<{tag} {name}> must be absolute in a document by REST")
    for name in rule.required - element.attrib.keys():
        document.errors.append(f"12200: <{tag}> lacks {name!r}")
    text = (element.text or "").strip()
    if rule.text is None and text:
        document.errors.append(f"12200: <{tag}> holds text")
    elif rule.text is not None and (wanted := rule.text(text)):
        document.errors.append(f"12200: <{tag}>: expected {wanted}")
    for child in element:
        if child.tag not in rule.children:
            document.errors.append(f"12200: <{child.tag}> in <{tag}>")
        else:
            _check(child, document)
        if (child.tail or "").strip():
            document.errors.append(f"12200: text after <{child.tag}> in <{tag}>")
    document.errors += _joint(element, text, document)


def _joint(element: ElementTree.Element, text: str, document: Document) -> list[str]:
    """What only shows in an element as a whole."""
    match element.tag:
        case "Play" if bool(text) == bool(element.get("digits")):
            return ["12200: <Play> needs a URL or digits"]
        case "Play" | "Redirect" if text and not document.url and not urlsplit(text).scheme:
            return [f"<{element.tag}> must be absolute in a document by REST"]
        case "Connect" if len(element) != 1:
            return ["12200: <Connect> must hold one <Stream>"]
        case "Dial" if bool(text) == bool(len(element)):
            return ["12200: <Dial> needs a number, or several <Number>"]
        case "Dial" if len(element) > 10:
            return ["12200: <Dial> rings ten numbers at most"]
        case "Gather" | "Record" if not element.get("action"):
            return [f"<{element.tag}> without an action asks for its own document again"]
    return []


def _path(url: str) -> str:
    return urlsplit(url).path or url


def attribute(element: ElementTree.Element, name: str, default: float) -> float:
    """A number among the attributes; the default, too, if it is none."""
    value = element.get(name, "")
    return float(value) if value.isdigit() else default


def flag(element: ElementTree.Element, name: str, default: bool) -> bool:
    """A truth value among the attributes."""
    return element.get(name, "true" if default else "false") == "true"


def callbacks_of(element: ElementTree.Element, prefix: str = "statusCallback") -> dict[str, str]:
    """A callback's URL, method and events; empty if there is none."""
    if not element.get(prefix):
        return {}
    return {
        "url": element.get(prefix, ""),
        "method": element.get(f"{prefix}Method", "POST"),
        "events": element.get(f"{prefix}Event", "completed"),
    }
