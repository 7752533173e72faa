/** @file All singular values of one normal matrix: seconds and the memory that the process took, as JSON. */
import { availableParallelism } from "node:os";
import { normalMatrix } from "../../../kernels/krylov/normal.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { backendGemm } from "../../../src/engine/runtime/gemm.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";

const n = Number(process.argv[2]);
const backend = await createOrtBackend({ device: "cpu", threads: availableParallelism() });
const { gemm } = backendGemm(backend);
const linalg = createLinalg(kernelBytes("linalg"), { maxBytes: 2 ** 32 - 65536, gemm });
const A = normalMatrix(n, n, 3);
const start = performance.now();
await linalg.singularValues(A);
const seconds = (performance.now() - start) / 1000;
const peakBytes = 1024 * process.resourceUsage().maxRSS;
process.stdout.write(JSON.stringify({ seconds, peakGigabytes: peakBytes / 1e9 }));
process.exit(0);
