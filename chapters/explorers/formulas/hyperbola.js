// The points at which the product of both parameters has a level, for θ₁ from level/end to end.

const PIECES = 120;

export function traceLevel(level, end) {
  return Array.from({ length: PIECES + 1 }, (_, k) => {
    const x = (level / end) * ((end * end) / level) ** (k / PIECES);
    return [x, level / x];
  });
}
