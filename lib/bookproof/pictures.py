"""Pictures compared: those a notebook shows now with those stored in it, light and dark.

What the tolerances rest on is told in tests/bookproof/test_pictures.py, which measures it.
"""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.image import imread, imsave
from nbformat import NotebookNode
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .drawing import DARK

PNG = "image/png"

# Of 255. A re-run that rounds otherwise moves single pixels by a step of the palette: a hundred of
# them are 0.09.
RMS = 0.1
# The share of pixels with a channel more than LEVEL off: less than seven of a picture 960 by 700. A
# step of the palette is 11.
SHARE = 1e-5
LEVEL = 12

KINDS = ("stored", "new", "difference")


def collect_pictures(outputs: Sequence[NotebookNode]) -> dict[str, bytes]:
    """Return {name: PNG} of a cell's outputs: `light` and `dark`, for a second picture in the cell
    `light-2` and `dark-2`.
    """
    shown = [output for output in outputs if PNG in output.get("data", {})]
    found = {}
    for number, output in enumerate(shown, start=1):
        suffix = "" if number == 1 else f"-{number}"
        found[f"light{suffix}"] = base64.b64decode(output["data"][PNG])
        if DARK in output.get("metadata", {}):
            found[f"dark{suffix}"] = base64.b64decode(output["metadata"][DARK])
    return found


def read_pixels(png: bytes) -> NDArray[np.floating]:
    """Return height by width by channels, 0 to 255."""
    return 255.0 * imread(io.BytesIO(png), format="png")


def measure_distance(stored: NDArray, new: NDArray) -> tuple[float, float]:
    """Return the RMS over all pixels and channels, and the share of changed pixels, of two arrays
    of one shape.
    """
    off = np.abs(stored - new)
    return float(np.sqrt(np.mean(off**2))), float(np.mean(off.max(axis=-1) > LEVEL))


def draw_difference(stored: NDArray, new: NDArray) -> NDArray[np.uint8]:
    """Return the stored picture gone pale, with a red spot around each pixel that is not the
    same.
    """
    pale = 255 - 0.25 * (255 - stored[..., :3].mean(axis=-1))
    canvas = np.repeat(pale[..., None], 3, axis=-1)
    differs = (stored != new).any(axis=-1)
    spots = Image.fromarray(np.uint8(differs)).filter(ImageFilter.MaxFilter(5))
    canvas[np.asarray(spots) > 0] = (213, 0, 0)
    return canvas.astype(np.uint8)


def compare_pictures(stored: bytes | None, new: bytes | None) -> tuple[str, NDArray | None]:
    """Return a sentence and the picture of the difference; the sentence is empty if two PNGs agree
    within the tolerances.

    Either may be None: a picture that is not there.
    """
    if stored is None:
        return "no picture is stored", None
    if new is None:
        return "no picture is drawn any more", None
    if stored == new:
        return "", None
    a, b = read_pixels(stored), read_pixels(new)
    if a.shape != b.shape:
        sizes = f"{b.shape[1]} x {b.shape[0]}, stored is {a.shape[1]} x {a.shape[0]}"
        return f"the size is {sizes}", None
    rms, share = measure_distance(a, b)
    if rms <= RMS and share <= SHARE:
        return "", None
    sentence = (
        f"RMS {rms:.2f} (at most {RMS:g}), {100 * share:.4f} % of pixels changed"
        f" (at most {100 * SHARE:g} %)"
    )
    return sentence, draw_difference(a, b)


def compare_outputs(
    stored: Sequence[NotebookNode], new: Sequence[NotebookNode], stem: str | Path
) -> list[str]:
    """Return one sentence for each picture of a cell that is not the stored one; what differs is
    written to files `stem`-light-new.png, ...

    Pictures of an earlier difference are removed.
    """
    stem = Path(stem)
    for path in stem.parent.glob(f"{stem.name}-*.png"):
        path.unlink()
    old, now = collect_pictures(stored), collect_pictures(new)
    found = []
    for name in dict.fromkeys([*old, *now]):
        sentence, difference = compare_pictures(old.get(name), now.get(name))
        if sentence:
            written = write_pictures(f"{stem}-{name}", old.get(name), now.get(name), difference)
            found.append(f"{name}: {sentence}; see {written[-1]}")
    return found


def write_pictures(
    stem: str, stored: bytes | None, new: bytes | None, difference: NDArray | None
) -> list[Path]:
    """Write those of the three pictures that exist, and return their paths."""
    paths = [Path(f"{stem}-{kind}.png") for kind in KINDS]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    for path, png in zip(paths, (stored, new), strict=False):
        if png is not None:
            path.write_bytes(png)
    if difference is not None:
        imsave(paths[2], difference)
    return [path for path in paths if path.exists()]
