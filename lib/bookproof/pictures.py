"""Pictures compared: those a notebook shows now with those stored in it, light and dark.

What the tolerances rest on is told in tests/test_pictures.py, which measures it.
"""

import base64
import io
from pathlib import Path

import numpy as np
from matplotlib.image import imread, imsave
from scipy.ndimage import maximum_filter

PNG = "image/png"
DARK = "application/vnd.bookproof.dark+png"

# Of 255. A re-run that rounds otherwise moves single pixels by a step of the palette: a hundred of
# them are 0.09.
RMS = 0.1
# The share of pixels with a channel more than LEVEL off: less than seven of a picture 960 by 700. A
# step of the palette is 11.
SHARE = 1e-5
LEVEL = 12

KINDS = ("stored", "new", "difference")


def pictures(outputs):
    """{name: PNG} of a cell's outputs: `light` and `dark`, for a second picture in the cell
    `light-2` and `dark-2`.
    """
    found, shown = {}, [output for output in outputs if PNG in output.get("data", {})]
    for number, output in enumerate(shown, start=1):
        suffix = "" if number == 1 else f"-{number}"
        for mode, holder, key in [
            ("light", output["data"], PNG),
            ("dark", output.get("metadata", {}), DARK),
        ]:
            if key in holder:
                found[mode + suffix] = base64.b64decode(holder[key])
    return found


def pixels(png):
    """Height by width by channels, 0 to 255."""
    return 255.0 * imread(io.BytesIO(png), format="png")


def distance(stored, new):
    """RMS over all pixels and channels, and the share of changed pixels, of two arrays of one
    shape.
    """
    off = np.abs(stored - new)
    return float(np.sqrt(np.mean(off**2))), float(np.mean(off.max(axis=-1) > LEVEL))


def difference(stored, new):
    """The stored picture gone pale, with a red spot around each pixel that is not the same."""
    pale = 255 - 0.25 * (255 - stored[..., :3].mean(axis=-1))
    canvas = np.repeat(pale[..., None], 3, axis=-1)
    canvas[maximum_filter(np.abs(stored - new).max(axis=-1), size=5) > 0.5] = (213, 0, 0)
    return canvas.astype(np.uint8)


def compare(stored, new):
    """None if two PNGs agree within the tolerances, else (a sentence, the picture of the difference
    or None).

    Either may be None: a picture that is not there.
    """
    if stored is None or new is None:
        return (
            ("no picture is stored", None)
            if stored is None
            else ("no picture is drawn any more", None)
        )
    if stored == new:
        return None
    a, b = pixels(stored), pixels(new)
    if a.shape != b.shape:
        return (
            f"the size is {b.shape[1]} x {b.shape[0]}, stored is {a.shape[1]} x {a.shape[0]}",
            None,
        )
    rms, share = distance(a, b)
    if rms <= RMS and share <= SHARE:
        return None
    return (
        (
            f"RMS {rms:.2f} (at most {RMS:g}), {100 * share:.4f} % of pixels changed (at most"
            f" {100 * SHARE:g} %)"
        ),
        difference(a, b),
    )


def compared(stored, new, stem):
    """One sentence for each picture of a cell that is not the stored one; what differs is written
    to files `stem`-light-new.png, ...

    `stored` and `new` are the cell's outputs. Pictures of an earlier difference are removed.
    """
    stem, found = Path(stem), []
    old, now = pictures(stored), pictures(new)
    for path in stem.parent.glob(f"{stem.name}-*.png"):
        path.unlink()
    for name in dict.fromkeys([*old, *now]):
        wrong = compare(old.get(name), now.get(name))
        if wrong:
            written = write(f"{stem}-{name}", old.get(name), now.get(name), wrong[1])
            found.append(f"{name}: {wrong[0]}; see {written[-1]}")
    return found


def write(stem, stored, new, differing):
    """Write those of the three pictures that there are; returns their paths."""
    paths = [Path(f"{stem}-{kind}.png") for kind in KINDS]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    for path, png in zip(paths, (stored, new), strict=False):
        if png is not None:
            path.write_bytes(png)
    if differing is not None:
        imsave(paths[2], differing)
    return [path for path in paths if path.exists()]
