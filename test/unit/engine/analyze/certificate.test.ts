/** @file Certificates on small adversarial matrices: no bound below a cosine, at any number of steps. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pseudoRandom } from "../../kernels/pseudo-random.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { boundOn, type SpectralView } from "../../../../src/engine/analyze/certificate.ts";
import { emptyTally, tryMatrix } from "./adversarial.ts";

describe("certificates", () => {
  it("hold on 100 small adversarial matrices at every number of steps", async () => {
    const linalg = await makeLinalg();
    const random = pseudoRandom(11);
    const tally = emptyTally();
    for (let i = 0; i < 100; i++) await tryMatrix(linalg, random, tally);
    assert.ok(tally.matrices > 60 && tally.certificates > 100, JSON.stringify(tally));
  });

  // Found by the search: eigenvalues far below ‖J‖, where rounding moves weight between nodes on both sides of a cut.
  it("count what rounding does to sums of weights", () => {
    const lambda = 0.002256728571565609 ** 2;
    const view: SpectralView = {
      gram: "left",
      ...{ startNorm: 1, lambdaMin: 0, lambdaMax: 1.0498743187008435 },
      ...{ rho: 2.505020600408991e-14, deflated: [], eta: 1e-7 },
      alpha: [
        ...[0.000023889688035696045, 0.9990918483382747, 0.0054959482422269005],
        ...[0.043002622116724246, 0.0022546634898816496, 2.437096025542661e-7],
        0.000005064527692923586,
      ],
      beta: [
        ...[0.0015070586912660489, 0.030011976182222736, 0.013904012464954247],
        ...[0.00029447631867386616, 1.5472335561166103e-8, 9.85740483054694e-8],
        3.6455986958369996e-7,
      ],
    };
    assert.ok(boundOn(view, lambda, lambda) > 0.0000010442997870618864);
  });
});
