// Symmetric matrices, n by n, row by row in one Float64Array.

// Diagonal and off-diagonal of the tridiagonal matrix with the same eigenvalues (Householder).
function tridiagonalize(matrix, n) {
  const a = Float64Array.from(matrix);
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const p = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(a[i * n + k]);
    if (i === 1 || scale === 0) {
      beside[i] = a[i * n + i - 1];
      continue;
    }
    let h = 0;
    for (let k = 0; k < i; k++) {
      a[i * n + k] /= scale;
      h += a[i * n + k] ** 2;
    }
    const f = a[i * n + i - 1];
    const g = f >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
    beside[i] = scale * g;
    h -= f * g;
    a[i * n + i - 1] = f - g;
    p.fill(0, 0, i);
    for (let j = 0; j < i; j++) {
      const row = j * n;
      const own = a[i * n + j];
      let sum = a[row + j] * own;
      for (let k = 0; k < j; k++) {
        sum += a[row + k] * a[i * n + k];
        p[k] += a[row + k] * own;
      }
      p[j] += sum;
    }
    let dot = 0;
    for (let j = 0; j < i; j++) {
      p[j] /= h;
      dot += p[j] * a[i * n + j];
    }
    const half = dot / (2 * h);
    for (let j = 0; j < i; j++) p[j] -= half * a[i * n + j];
    for (let j = 0; j < i; j++) {
      const own = a[i * n + j];
      const other = p[j];
      for (let k = 0; k <= j; k++) a[j * n + k] -= own * p[k] + other * a[i * n + k];
    }
  }
  for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i];
  return [diagonal, beside];
}

// Eigenvalues of a tridiagonal matrix (implicit QL), largest first. `beside[i]` stands between i - 1 and i.
function diagonalize(diagonal, beside) {
  const n = diagonal.length;
  const d = Float64Array.from(diagonal);
  const e = new Float64Array(n);
  for (let i = 1; i < n; i++) e[i - 1] = beside[i];
  for (let l = 0; l < n; l++) {
    for (let round = 0; round < 60; round++) {
      let m = l;
      for (; m < n - 1; m++) {
        const size = Math.abs(d[m]) + Math.abs(d[m + 1]);
        if (Math.abs(e[m]) <= Number.EPSILON * size) break;
      }
      if (m === l) break;
      let g = (d[l + 1] - d[l]) / (2 * e[l]);
      let r = Math.hypot(g, 1);
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i];
        const b = c * e[i];
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return d.sort().reverse();
}

export function eigenvalues(matrix, n) {
  return diagonalize(...tridiagonalize(matrix, n));
}

export function multiply(matrix, vector, n) {
  const product = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += matrix[i * n + j] * vector[j];
    product[i] = sum;
  }
  return product;
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

// The largest eigenvalue and its vector, by Lanczos iteration with full reorthogonalization.
export function sharpest(matrix, n, most = 90) {
  const basis = [];
  const diagonal = [];
  const beside = [0];
  let vector = Float64Array.from({ length: n }, (_, i) => 1 + Math.sin(i + 1) / 2);
  let size = Math.sqrt(dot(vector, vector));
  let value = 0;
  for (let step = 0; step < Math.min(most, n); step++) {
    vector = vector.map((entry) => entry / size);
    basis.push(vector);
    const next = multiply(matrix, vector, n);
    diagonal.push(dot(next, vector));
    for (let round = 0; round < 2; round++) {
      for (const known of basis) {
        const share = dot(next, known);
        for (let i = 0; i < n; i++) next[i] -= share * known[i];
      }
    }
    size = Math.sqrt(dot(next, next));
    const before = value;
    if (step % 5 === 4 || size === 0) {
      value = diagonalize(diagonal, beside)[0];
      if (size <= 1e-14 * value || value - before <= 1e-15 * value) break;
    }
    beside.push(size);
    vector = next;
  }
  [value] = diagonalize(diagonal, beside.slice(0, diagonal.length));
  const shares = solveNear(diagonal, beside, value);
  const found = new Float64Array(n);
  basis.forEach((known, k) => {
    for (let i = 0; i < n; i++) found[i] += shares[k] * known[i];
  });
  return [value, found];
}

// The eigenvector of a tridiagonal matrix for an eigenvalue, by inverse iteration.
function solveNear(diagonal, beside, value) {
  const n = diagonal.length;
  const shift = value * (1 + 1e-13);
  let x = new Float64Array(n).fill(1);
  for (let round = 0; round < 3; round++) {
    const c = new Float64Array(n);
    const y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const pivot = diagonal[i] - shift - (i ? beside[i] * c[i - 1] : 0) || Number.MIN_VALUE;
      c[i] = (beside[i + 1] || 0) / pivot;
      y[i] = (x[i] - (i ? beside[i] * y[i - 1] : 0)) / pivot;
    }
    for (let i = n - 2; i >= 0; i--) y[i] -= c[i] * y[i + 1];
    const size = Math.sqrt(dot(y, y));
    x = y.map((entry) => entry / size);
  }
  return x;
}
