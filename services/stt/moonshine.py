"""Moonshine tiny (English, MIT): words out of an utterance, with the embedded onnxruntime.

The weights come with the ``moonshine-voice`` package, release 0.1.0, which is not imported: driven
from here they take a sixth of the time that the package's own library takes, and make fewer errors.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.audio.models import open_session, packaged_file, verified
from services.audio.mulaw import Samples
from services.stt.embedded import INPUT_HZ, Transcript

MAX_SECONDS = 20
"""The longest piece that is worth decoding at once: time and memory grow faster than its length."""
TOKENS_PER_SECOND = 9
"""Digits, spoken quickly, are the densest speech. Without a limit the model may repeat for ever."""
SURE_OF_TEXT = 0.4
"""Confidence below which the text is made up: right text of a single word has 0.55 and more."""

_ENCODER = "encoder_model.ort"
_DECODER = "decoder_model_merged.ort"
_TOKENIZER = "tokenizer.bin"
_SHA256 = {
    _ENCODER: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    _DECODER: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    _TOKENIZER: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
_OLD_SPELLINGS = (
    (re.compile(r"\b(to)-(day|morrow|night)\b", re.IGNORECASE), r"\1\2"),
    (re.compile(r"\b(good)-bye?\b", re.IGNORECASE), r"\1bye"),
)
_START, _END = 1, 2
_LAYERS, _HEADS, _HEAD_WIDTH = 6, 8, 36
_CLOSING_SAMPLES = INPUT_HZ // 10
"""Silence put behind the speech: fewer wrong last words, and noise becomes a plain "You"."""
_MIN_SAMPLES = INPUT_HZ // 10  # the encoder's windows need some audio at all
_NOTHING = Transcript("", 0.0)


class Moonshine:
    """The recogniser: one for all calls. ``transcribe`` may run in several threads at once."""

    def __init__(self, model_dir: str = "") -> None:
        """Loads the models from ``model_dir``, or else from the installed package.

        Raises ModelMissing, also for files other than those that were tested.
        """
        files = {name: verified(_locate(model_dir, name), _SHA256[name]) for name in _SHA256}
        self._encoder = open_session(files[_ENCODER])
        self._decoder = open_session(files[_DECODER])
        self._pieces = _read_tokenizer(files[_TOKENIZER].read_bytes())
        self._outputs = [output.name for output in self._decoder.get_outputs()]

    def transcribe(self, samples: Samples) -> Transcript:
        """The words in a piece of speech of at most 20 s, 16 kHz. Takes about 1 % of its length.

        False text, which the model finds in noise, is left out as far as it can be recognised.
        """
        if len(samples) < _MIN_SAMPLES:
            return _NOTHING
        heard = np.pad(samples[: MAX_SECONDS * INPUT_HZ], (0, _CLOSING_SAMPLES))
        tokens, confidence = self._decode(heard[np.newaxis])
        transcript = Transcript(self._spell(tokens), confidence)
        return _NOTHING if _is_false(transcript) else transcript

    def _decode(self, samples: Samples) -> tuple[list[int], float]:
        """Greedy search: the tokens, and how sure the model is of them."""
        mask = np.ones(samples.shape, dtype=np.int64)
        hidden = self._encoder.run(None, {"input_values": samples, "attention_mask": mask})[0]
        inputs: dict[str, Any] = {"encoder_hidden_states": hidden, "encoder_attention_mask": mask}
        inputs |= _empty_caches()
        tokens: list[int] = []
        token, log_probability = _START, 0.0
        for step in range(math.ceil(samples.size / INPUT_HZ * TOKENS_PER_SECOND) + 1):
            inputs["input_ids"] = np.array([[token]], dtype=np.int64)
            inputs["use_cache_branch"] = np.array([step > 0])
            logits, *caches = self._decoder.run(None, inputs)
            self._keep_caches(inputs, caches, first=step == 0)
            token, log_of_token = _most_likely(logits[0, -1])
            log_probability += log_of_token
            if token == _END:
                return tokens, math.exp(log_probability / (len(tokens) + 1))
            tokens.append(token)
        return tokens, math.exp(log_probability / len(tokens))

    def _keep_caches(self, inputs: dict[str, Any], caches: list[Any], *, first: bool) -> None:
        """The decoder's caches grow with each step; the encoder's are complete after the first."""
        for name, cache in zip(self._outputs[1:], caches, strict=True):
            if first or ".decoder." in name:
                inputs[name.replace("present", "past_key_values")] = cache

    def _spell(self, tokens: list[int]) -> str:
        text = b"".join(self._pieces[token] for token in tokens).decode(errors="ignore")
        for pattern, modern in _OLD_SPELLINGS:
            text = pattern.sub(modern, text)
        return text.replace("\u2581", " ").strip()


def _locate(model_dir: str, name: str) -> Path:
    if model_dir:
        return Path(model_dir) / name
    return packaged_file("moonshine_voice", f"assets/tiny-en/{name}")


def _is_false(transcript: Transcript) -> bool:
    if not any(character.isalnum() for character in transcript.text):
        return True
    is_you = transcript.text.strip(".,!? ").lower() == "you"  # what noise and silence sound like
    return is_you or transcript.confidence < SURE_OF_TEXT


def _empty_caches() -> dict[str, Samples]:
    empty = np.zeros((1, _HEADS, 0, _HEAD_WIDTH), dtype=np.float32)
    return {
        f"past_key_values.{layer}.{side}.{part}": empty
        for layer in range(_LAYERS)
        for side in ("decoder", "encoder")
        for part in ("key", "value")
    }


def _most_likely(logits: NDArray[np.float32]) -> tuple[int, float]:
    """The likeliest token and the logarithm of its probability."""
    token = int(np.argmax(logits))
    return token, -math.log(float(np.exp(logits - logits[token]).sum()))


def _read_tokenizer(data: bytes) -> list[bytes]:
    """Token -> UTF-8. Per token: its length, one byte, or two from 128 on; then that many bytes."""
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = data[at]
        at += 1
        if size >= 128:
            size += 128 * (data[at] - 1)
            at += 1
        pieces.append(_unescape(data[at : at + size]))
        at += size
    return pieces


def _unescape(piece: bytes) -> bytes:
    """``<0x41>`` stands for the byte itself; other tokens in brackets are not text."""
    if piece.startswith(b"<0x") and piece.endswith(b">"):
        return bytes([int(piece[3:-1], 16)])
    return b"" if piece.startswith(b"<") and piece.endswith(b">") else piece
