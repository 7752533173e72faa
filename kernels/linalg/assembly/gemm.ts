/**
 * @file Blocked matrix product over raw memory: C += alpha op(A) op(B), with any strides.
 *
 * Panels of op(A), 4 rows wide, and of op(B), two vectors wide, are packed so that the innermost loop
 * reads both in order; blocks are sized for the caches. Sums run over k in ascending order within a
 * block of KC, so that a result depends on the operands alone. Relaxed SIMD is not used.
 */

const MR: usize = 4;
const MC: usize = 96;
const KC: usize = 256;
const NC: usize = 1024;

// work: (MC + NC) · KC elements and one tile. Strides count elements; C has contiguous rows.
export function gemm64(
  m: usize,
  n: usize,
  k: usize,
  alpha: f64,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  c: usize,
  cRow: usize,
  work: usize,
): void {
  product<f64>(
    m,
    n,
    k,
    alpha,
    a,
    aRow << 3,
    aColumn << 3,
    b,
    bRow << 3,
    bColumn << 3,
    c,
    cRow << 3,
    work,
  );
}

export function gemm32(
  m: usize,
  n: usize,
  k: usize,
  alpha: f32,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  c: usize,
  cRow: usize,
  work: usize,
): void {
  product<f32>(
    m,
    n,
    k,
    alpha,
    a,
    aRow << 2,
    aColumn << 2,
    b,
    bRow << 2,
    bColumn << 2,
    c,
    cRow << 2,
    work,
  );
}

// Strides are in bytes from here on.
function product<T>(
  m: usize,
  n: usize,
  k: usize,
  alpha: T,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  c: usize,
  cRow: usize,
  work: usize,
): void {
  const packedA = work;
  const packedB = packedA + MC * KC * sizeof<T>();
  const tile = packedB + NC * KC * sizeof<T>();
  const NR: usize = 32 / sizeof<T>();
  for (let j: usize = 0; j < n; j += NC) {
    const nc = min(NC, n - j);
    for (let p: usize = 0; p < k; p += KC) {
      const kc = min(KC, k - p);
      packB<T>(b + p * bRow + j * bColumn, bRow, bColumn, kc, nc, packedB);
      for (let i: usize = 0; i < m; i += MC) {
        const mc = min(MC, m - i);
        packA<T>(a + i * aRow + p * aColumn, aRow, aColumn, mc, kc, alpha, packedA);
        for (let jr: usize = 0; jr < nc; jr += NR) {
          const panelB = packedB + jr * kc * sizeof<T>();
          for (let ir: usize = 0; ir < mc; ir += MR) {
            const panelA = packedA + ir * kc * sizeof<T>();
            const into = c + (i + ir) * cRow + (j + jr) * sizeof<T>();
            if (ir + MR <= mc && jr + NR <= nc) addTile<T>(panelA, panelB, kc, into, cRow);
            else {
              memory.fill(tile, 0, 128);
              addTile<T>(panelA, panelB, kc, tile, 32);
              addCorner<T>(tile, into, cRow, min(MR, mc - ir), min(NR, nc - jr));
            }
          }
        }
      }
    }
  }
}

// alpha op(A) in panels of MR rows, k by k; the last panel is filled up with zeros.
function packA<T>(
  a: usize,
  row: usize,
  column: usize,
  mc: usize,
  kc: usize,
  alpha: T,
  out: usize,
): void {
  for (let i: usize = 0; i < mc; i += MR) {
    const rows = min(MR, mc - i);
    let from = a + i * row;
    if (rows == MR) {
      for (let p: usize = 0; p < kc; p++, from += column, out += MR * sizeof<T>()) {
        store<T>(out, (alpha * load<T>(from)) as T);
        store<T>(out + sizeof<T>(), (alpha * load<T>(from + row)) as T);
        store<T>(out + 2 * sizeof<T>(), (alpha * load<T>(from + 2 * row)) as T);
        store<T>(out + 3 * sizeof<T>(), (alpha * load<T>(from + 3 * row)) as T);
      }
    } else {
      for (let p: usize = 0; p < kc; p++, from += column)
        for (let r: usize = 0; r < MR; r++, out += sizeof<T>())
          store<T>(out, r < rows ? ((alpha * load<T>(from + r * row)) as T) : (0 as T));
    }
  }
}

// op(B) in panels of two vectors of columns, k by k, filled up with zeros.
function packB<T>(b: usize, row: usize, column: usize, kc: usize, nc: usize, out: usize): void {
  const NR: usize = 32 / sizeof<T>();
  for (let j: usize = 0; j < nc; j += NR) {
    const columns = min(NR, nc - j);
    let from = b + j * column;
    if (columns == NR && column == sizeof<T>()) {
      for (let p: usize = 0; p < kc; p++, from += row, out += 32) {
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
      }
    } else {
      for (let p: usize = 0; p < kc; p++, from += row)
        for (let r: usize = 0; r < NR; r++, out += sizeof<T>())
          store<T>(out, r < columns ? load<T>(from + r * column) : (0 as T));
    }
  }
}

// One tile of C: four rows of two vectors, c_r += Σ_p a_{r,p} b_p.
function addTile<T>(a: usize, b: usize, kc: usize, c: usize, row: usize): void {
  let c00 = v128.splat<T>(0 as T);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  const end = b + (kc << 5);
  for (; b < end; b += 32, a += MR * sizeof<T>()) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<T>(a);
    c00 = v128.add<T>(c00, v128.mul<T>(a0, b0));
    c01 = v128.add<T>(c01, v128.mul<T>(a0, b1));
    const a1 = v128.load_splat<T>(a + sizeof<T>());
    c10 = v128.add<T>(c10, v128.mul<T>(a1, b0));
    c11 = v128.add<T>(c11, v128.mul<T>(a1, b1));
    const a2 = v128.load_splat<T>(a + 2 * sizeof<T>());
    c20 = v128.add<T>(c20, v128.mul<T>(a2, b0));
    c21 = v128.add<T>(c21, v128.mul<T>(a2, b1));
    const a3 = v128.load_splat<T>(a + 3 * sizeof<T>());
    c30 = v128.add<T>(c30, v128.mul<T>(a3, b0));
    c31 = v128.add<T>(c31, v128.mul<T>(a3, b1));
  }
  addTo<T>(c, c00, c01);
  addTo<T>(c + row, c10, c11);
  addTo<T>(c + 2 * row, c20, c21);
  addTo<T>(c + 3 * row, c30, c31);
}

function addTo<T>(c: usize, x: v128, y: v128): void {
  v128.store(c, v128.add<T>(v128.load(c), x));
  v128.store(c, v128.add<T>(v128.load(c, 16), y), 16);
}

function addCorner<T>(tile: usize, c: usize, row: usize, rows: usize, columns: usize): void {
  for (let i: usize = 0; i < rows; i++)
    for (let j: usize = 0; j < columns; j++) {
      const at = c + i * row + j * sizeof<T>();
      store<T>(at, (load<T>(at) + load<T>(tile + (i << 5) + j * sizeof<T>())) as T);
    }
}
