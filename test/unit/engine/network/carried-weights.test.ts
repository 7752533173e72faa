/** @file PaCA's columns within the weight: the same training as beside it, and the weight as it was afterwards. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { carryWeights } from "../../../../src/engine/network/carried-weights.ts";
import type { PreparedRun } from "../../../../src/engine/session/prepare-run.ts";
import { startRun } from "../../../../src/engine/session/start-run.ts";
import type { StartedRun } from "../../../../src/engine/session/start-run.ts";
import { loadRun, trainStarted } from "../../../../src/engine/session/train-run.ts";
import { at, invariant } from "../../../../src/shared/errors.ts";
import { isRecord } from "../../../../src/shared/wire.ts";
import { preparedIn } from "../../../support/prepared-run.ts";
import { makeWorkspace } from "../../../support/workspace.ts";

const emit = (): void => undefined;

async function prepared(folder: string, train: object = {}): Promise<PreparedRun> {
  return await preparedIn(folder, {
    method: { type: "paca", r: 5, alpha: 10 },
    train: { max_steps: 4, learning_rate: 0.01, ...train },
  });
}

function carriedSites({ setup }: Pick<PreparedRun, "setup">): number {
  return [...setup.setups.values()].reduce(
    (sum, { sites }) => sum + [...sites.values()].filter(({ carried }) => carried === true).length,
    0,
  );
}

/** The same run with the columns beside the weight. */
function beside(run: PreparedRun): PreparedRun {
  const setups = [...run.setup.setups].map(([id, block]) => {
    const sites = [...block.sites].map(
      ([name, site]) => [name, { ...site, carried: false }] as const,
    );
    return [id, { ...block, sites: new Map(sites) }] as const;
  });
  return { ...run, setup: { ...run.setup, setups: new Map(setups) } };
}

async function trained(run: PreparedRun, runFolder: string): Promise<StartedRun> {
  mkdirSync(runFolder);
  const host = {
    ...{ runFolder, checkpoint: undefined, emit },
    approve: () => Promise.resolve(),
    requested: () => undefined,
  };
  const started = await startRun(await loadRun(run, emit, () => undefined), host);
  await trainStarted(started, host);
  return started;
}

/** Writes a file of float32 tensors anew with the upper halves of their numbers. */
function halve(file: string): void {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header: unknown = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  invariant(isRecord(header), "a header");
  const halved = Object.entries(header).map(([name, info]) => {
    if (!isRecord(info) || !Array.isArray(info["data_offsets"])) return [name, info];
    const offsets = info["data_offsets"].map((offset) => Number(offset) / 2);
    return [name, { ...info, dtype: "BF16", data_offsets: offsets }];
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(halved)));
  const data = bytes.subarray(8 + length);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const upper = Buffer.alloc(data.length / 2);
  for (let i = 0; i < data.length; i += 4) data.copy(upper, i / 2, i + 2, i + 4);
  writeFileSync(file, Buffer.concat([size, text, upper]));
}

describe("a weight that carries PaCA's columns", () => {
  for (const held of ["float32", "bfloat16"] as const)
    it(`trains them as beside it, held in ${held}`, async (t: TestContext) => {
      const folder = makeWorkspace(t);
      if (held === "bfloat16") halve(join(folder, "model/model.safetensors"));
      const within = await prepared(folder);
      assert(carriedSites(within) > 0);
      const one = await trained(within, join(folder, "within"));
      const other = await trained(beside(await prepared(folder)), join(folder, "beside"));
      for (const { name, weight } of one.parameters.all.values()) {
        const expected = other.parameters.get(name).weight;
        assert(weight.some((value) => value !== 0));
        weight.forEach((value, i) => {
          assert(Math.abs(value - at(expected, i)) < 1e-5, `${name}[${i}]`);
        });
      }
    });

  it("is W with s D in the columns, and to the bit W after that", async (t: TestContext) => {
    const folder = makeWorkspace(t);
    const run = await prepared(folder);
    const { setup, base, parameters, factors } = await loadRun(run, emit, () => undefined);
    await run.opened.source.close();
    const sources = [...setup.setups.values()].flatMap(({ spec, sites }) =>
      [...sites.keys()]
        .map((name) => `${name}.weight`)
        .flatMap((name) =>
          spec.tensors.filter((tensor) => tensor.name === name).map(({ source }) => source),
        ),
    );
    const before = new Map(sources.map((source) => [source, base.decode(source).slice()]));
    for (const { data } of factors.all.values()) data.set([3, 1, 4, 0, 2]);
    const carried = carryWeights(setup.setups.values(), base, parameters, factors);
    invariant(carried, "nothing is carried");
    for (const { weight } of parameters.all.values()) weight.fill(0.25);
    carried.write();
    carried.write();
    for (const [source, W] of before) {
      const [, width = 1] = base.get(source).shape;
      base.decode(source).forEach((value, i) => {
        const own = i % width < 5 ? 2 * 0.25 : 0;
        assert.equal(value, Math.fround(at(W, i) + own));
      });
    }
    carried.restore();
    for (const [source, W] of before) assert.deepEqual(base.decode(source), W);
  });

  it("carries nothing where something else moves the weights of a step", async (t: TestContext) => {
    const folder = makeWorkspace(t);
    const estimated = await prepared(folder, { optimizer: "mezo" });
    await estimated.opened.source.close();
    assert.equal(carriedSites(estimated), 0);
  });
});
