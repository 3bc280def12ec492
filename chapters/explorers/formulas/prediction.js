// What a random twin does to a measure, and how the measure is ordered with the test error. The
// networks have one hidden layer and no biases: w enters a unit, v leaves it, H is the diagonal of the
// Hessian. A twin by rescaling multiplies what enters a unit by f, √f, 1, 1/√f or 1/f, drawn at random,
// and divides what leaves it; a softmax shift of the size s adds one number to all that leaves a unit.

const SCALED = 1;
const LEVELS = [-1, -0.5, 0, 0.5, 1]; // powers of f
const DIFFERENCES = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]; // of two of them
const HALF_SQUARE = 0.5 ** 2 / 2; // ASAM's ρ²/2
const WIDE = 1.959963984540054; // standard errors that hold 95 %

export const MEASURES = [
  "trace", "squared_norm", "product_of_frobenius_norms", "asam_filter_average", "asam_average",
  "path_norm", "minimum_sharpness_units", "relative_flatness_first", "fisher_rao",
];

function prepare({ networks, errors, drawn }) {
  const model = { networks, errors, drawn };
  model.curves = [1, 2].map((kind) => traceCurves(model, kind));
  return model;
}

function add(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

// A sum over levels, each multiplied by a power of f.
function weigh(sums, powers, factor, sign) {
  return add(sums.map((value, k) => value * factor ** (sign * 2 * powers[k])));
}

// What a shift makes of a sum of squares: a + b s + c s².
function bend([a, b, c], s) {
  return a + b * s + c * s ** 2;
}

// The sums over all units of a twin. `filters` is the sum over classes of Σv² times ΣH: a unit's v²
// meets another's H, so that their difference counts.
function move(network, kind, strength) {
  const { H_in, H_out, w2, v2, filters, adaptive, paths } = network;
  if (kind === SCALED) {
    return {
      ...network,
      H_in: weigh(H_in, LEVELS, strength, -1),
      H_out: weigh(H_out, LEVELS, strength, 1),
      w2: weigh(w2, LEVELS, strength, 1),
      v2: weigh(v2, LEVELS, strength, -1),
      filters: weigh(filters, DIFFERENCES, strength, 1),
      // Here every unit's factor meets its inverse.
      adaptive: adaptive[0],
      paths: paths[0],
    };
  }
  return {
    ...network,
    H_in: add(H_in),
    H_out: add(H_out),
    w2: add(w2),
    v2: bend([add(v2), ...network.v2_shifted], strength),
    filters: bend([add(filters), ...network.filters_shifted], strength),
    adaptive: bend(adaptive, strength),
    paths: bend(paths, strength),
  };
}

const FORMULAS = {
  trace: ({ H_in, H_out }) => H_in + H_out,
  squared_norm: ({ w2, v2 }) => w2 + v2,
  product_of_frobenius_norms: ({ w2, v2 }) => Math.sqrt(w2 * v2),
  asam_filter_average: ({ first_filters, filters }) => HALF_SQUARE * (first_filters + filters),
  asam_average: ({ adaptive }) => HALF_SQUARE * adaptive,
  path_norm: ({ paths }) => Math.sqrt(paths),
  // No twin of either kind has another value of these.
  minimum_sharpness_units: ({ kept }) => kept[0],
  relative_flatness_first: ({ kept }) => kept[1],
  fisher_rao: ({ kept }) => kept[2],
};

// A measure of the networks, numbered from 1, at their twins.
export function measureTwins({ networks }, kind, strength, measure) {
  const formula = FORMULAS[MEASURES[measure - 1]];
  return networks.map((network) => formula(move(network, kind, strength)));
}

// The sign of a difference; what differs by rounding only is tied.
function compare(one, other) {
  return Math.abs(one - other) <= 1e-12 * Math.abs(one) ? 0 : Math.sign(one - other);
}

// Kendall's τ_b with its 95 % interval. What each network has its part in is counted, so that τ
// without it is known: the jackknife.
export function correlate(xs, ys) {
  const n = xs.length;
  const [agreed, freeX, freeY] = [0, 1, 2].map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const x = compare(xs[i], xs[j]);
      const y = compare(ys[i], ys[j]);
      const both = x * y;
      agreed[i] += both;
      agreed[j] += both;
      if (x !== 0) freeX[i] += 1, freeX[j] += 1;
      if (y !== 0) freeY[i] += 1, freeY[j] += 1;
    }
  }
  const [sum, pairsX, pairsY] = [agreed, freeX, freeY].map((counts) => add(counts) / 2);
  const without = Array.from(agreed, (part, i) => (sum - part) / Math.sqrt((pairsX - freeX[i]) * (pairsY - freeY[i])));
  const mean = add(without) / n;
  const squares = add(without.map((tau) => (tau - mean) ** 2));
  const reach = WIDE * Math.sqrt(((n - 1) / n) * squares);
  const tau = sum / Math.sqrt(pairsX * pairsY);
  return { tau, low: tau - reach, high: tau + reach };
}

const STRENGTHS = [
  Array.from({ length: 21 }, (_, k) => 2 ** (k / 2)),
  Array.from({ length: 16 }, (_, k) => k / 5),
];

// τ of every measure over the strength, and whether the measure moves at all.
function traceCurves({ networks, errors }, kind) {
  const strengths = STRENGTHS[kind - 1];
  const twins = strengths.map((strength) => networks.map((network) => move(network, kind, strength)));
  return MEASURES.map((name) => {
    const values = twins.map((moved) => moved.map(FORMULAS[name]));
    const moves = values[0].some((value, n) => Math.abs(values[strengths.length - 1][n] / value - 1) > 1e-9);
    const first = correlate(values[0], errors);
    const points = values.map((each) => (moves ? correlate(each, errors) : first));
    return { strengths, points, moves };
  });
}

function compute(model, { kind, log2_factor, shift, measure }) {
  const strength = kind === SCALED ? 2 ** log2_factor : shift;
  const values = measureTwins(model, kind, strength, measure);
  model.values = values;
  return { ...correlate(values, model.errors), least: Math.min(...values), largest: Math.max(...values) };
}

export const formulas = { prepare, compute };
