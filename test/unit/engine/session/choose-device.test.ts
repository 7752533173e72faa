/** @file The choice of a device and what is told about it, for machines of every kind. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseDevice, slowChoice } from "../../../../src/engine/session/choose-device.ts";

const plain = { gpuDriver: false, cores: 6 };
const withGpu = { gpuDriver: true, cores: 6 };
const auto = { device: "auto", threads: null } as const;

describe("the choice of a device", () => {
  it("takes the one that is asked for, whatever the machine has", () => {
    for (const device of ["cpu", "webgpu", "cuda", "dml", "coreml"] as const) {
      const choice = chooseDevice({ device, threads: 2 }, withGpu);
      assert.deepEqual([choice.chosen, choice.requested, choice.threads], [device, device, 2]);
    }
  });

  it("says of `auto` what was chosen and why", () => {
    const [without, beside] = [chooseDevice(auto, plain), chooseDevice(auto, withGpu)];
    assert.deepEqual([without.chosen, beside.chosen], ["cpu", "cpu"]);
    assert.equal(without.threads, 6);
    assert.match(without.reason, /No GPU driver/);
    assert.match(beside.reason, /There is a GPU driver.*run\.device: webgpu/);
  });

  it("warns of a long run on the CPU beside a GPU, and only of that", () => {
    const choice = chooseDevice(auto, withGpu);
    const warning = slowChoice(choice, withGpu, 1500);
    assert.equal(warning?.severity, "warning");
    assert.match(warning.message, /about 25 minutes on the CPU.*GPU driver/);
    assert.match(warning.remedy ?? "", /run\.device: webgpu/);
    assert.equal(slowChoice(choice, withGpu, 600), undefined);
    assert.equal(slowChoice(chooseDevice(auto, plain), plain, 1500), undefined);
    const meant = chooseDevice({ ...auto, device: "cpu" }, withGpu);
    assert.equal(slowChoice(meant, withGpu, 1500), undefined);
  });
});
