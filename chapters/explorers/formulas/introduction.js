// Twelve networks, each of which may be moved along its orbit: its trace changes, its error does not.

function findTrace({ traces }, log2_alpha) {
  const alpha = 2 ** log2_alpha;
  return traces[0] / alpha ** 2 + traces[1] * alpha ** 2;
}

// The sign of a difference; what differs by rounding only is tied.
function compare(one, other) {
  return Math.abs(one - other) <= 1e-9 * Math.abs(one) ? 0 : Math.sign(one - other);
}

// Kendall's τ_b: pairs in one order less pairs in two, over the pairs that are not tied.
export function correlate(xs, ys) {
  let [agreed, tiedX, tiedY, pairs] = [0, 0, 0, 0];
  for (let i = 0; i < xs.length; i++) {
    for (let j = 0; j < i; j++) {
      const [x, y] = [compare(xs[i], xs[j]), compare(ys[i], ys[j])];
      pairs += 1;
      agreed += x * y;
      tiedX += x === 0;
      tiedY += y === 0;
    }
  }
  return agreed / Math.sqrt((pairs - tiedX) * (pairs - tiedY));
}

export function listKnobs(count) {
  return Array.from({ length: count }, (_, k) => `log2_alpha_${k + 1}`);
}

// The twins whose traces are in a wanted order, one of them for each network: 1 for the least.
export function arrange(networks, ranks) {
  const floor = Math.max(...networks.map(findFloor));
  const inputs = {};
  listKnobs(networks.length).forEach((name, k) => {
    const wanted = 1.02 * floor * 1.25 ** ranks[k];
    const [first, second] = networks[k].traces;
    const square = (2 * first) / (wanted + Math.sqrt(wanted ** 2 - 4 * first * second));
    inputs[name] = Math.log2(square) / 2;
  });
  return inputs;
}

// The least trace on an orbit: there both layers have the same.
export function findFloor({ traces }) {
  return 2 * Math.sqrt(traces[0] * traces[1]);
}

function compute({ networks }, inputs) {
  const traces = listKnobs(networks.length).map((name, k) => findTrace(networks[k], inputs[name]));
  const errors = networks.map(({ error }) => error);
  const values = {
    correlation: correlate(traces, errors),
    chosen_trace: traces[inputs.network - 1],
    chosen_error: errors[inputs.network - 1],
    chosen_floor: findFloor(networks[inputs.network - 1]),
  };
  traces.forEach((trace, k) => (values[`trace_${k + 1}`] = trace));
  return values;
}

export const formulas = { prepare: (data) => data, compute };
