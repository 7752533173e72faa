/** @file Operators that move elements: layout, and reading and writing by index. */
import { at, invariant } from "../../../shared/errors.ts";
import type { Evaluate, Tensor } from "./tensor.ts";
import { broadcastSource, coordinates, element, filled, positionOf } from "./tensor.ts";

/** The same elements in a new shape. */
export const reshape: Evaluate<"Reshape"> = (inputs, outputs) => {
  const x = at(inputs, 0);
  return [filled(at(outputs, 0), (position) => element(x, position))];
};

export const transpose: Evaluate<"Transpose"> = (inputs, outputs, { perm }) => {
  const [x, y] = [at(inputs, 0), at(outputs, 0)];
  return [
    filled(y, (position) => {
      const target = coordinates(y.shape, position);
      const source = perm.map((_, axis) => at(target, perm.indexOf(axis)));
      return element(x, positionOf(x.shape, source));
    }),
  ];
};

export const expand: Evaluate<"Expand"> = (inputs, outputs) => {
  const [x, y] = [at(inputs, 0), at(outputs, 0)];
  const source = broadcastSource(x.shape, y.shape);
  return [filled(y, (position) => element(x, source(position)))];
};

export const concat: Evaluate<"Concat"> = (inputs, outputs, { axis }) => {
  const y = at(outputs, 0);
  return [
    filled(y, (position) => {
      const place = coordinates(y.shape, position);
      let along = at(place, axis);
      for (const part of inputs) {
        const size = at(part.shape, axis);
        if (along < size) return element(part, positionOf(part.shape, place.with(axis, along)));
        along -= size;
      }
      throw new RangeError(`position ${along} is behind the last part`);
    }),
  ];
};

export const slice: Evaluate<"Slice"> = (inputs, outputs, { axis, start }) => {
  const [x, y] = [at(inputs, 0), at(outputs, 0)];
  return [
    filled(y, (position) => {
      const place = coordinates(y.shape, position);
      return element(x, positionOf(x.shape, place.with(axis, at(place, axis) + start)));
    }),
  ];
};

export const pad: Evaluate<"Pad"> = (inputs, outputs, { axis, before }) => {
  const [x, y] = [at(inputs, 0), at(outputs, 0)];
  return [
    filled(y, (position) => {
      const place = coordinates(y.shape, position);
      const along = at(place, axis) - before;
      if (along < 0 || along >= at(x.shape, axis)) return 0;
      return element(x, positionOf(x.shape, place.with(axis, along)));
    }),
  ];
};

export const gather: Evaluate<"Gather"> = (inputs, outputs) => {
  const [table, indices] = [at(inputs, 0), at(inputs, 1)];
  const width = table.data.length / at(table.shape, 0);
  return [
    filled(at(outputs, 0), (position) => {
      const row = index(indices, Math.floor(position / width), at(table.shape, 0));
      return element(table, row * width + (position % width));
    }),
  ];
};

export const scatterAdd: Evaluate<"ScatterAdd"> = (inputs, outputs) => {
  const [table, indices, updates] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const width = table.data.length / at(table.shape, 0);
  const y = filled(at(outputs, 0), (position) => element(table, position));
  updates.data.forEach((update, position) => {
    const row = index(indices, Math.floor(position / width), at(table.shape, 0));
    const place = row * width + (position % width);
    y.data[place] = element(y, place) + update;
  });
  return [y];
};

export const pickColumn: Evaluate<"PickColumn"> = (inputs, outputs) => {
  const [x, columns] = [at(inputs, 0), at(inputs, 1)];
  const size = at(x.shape, 1);
  return [filled(at(outputs, 0), (row) => element(x, row * size + index(columns, row, size)))];
};

export const addColumn: Evaluate<"AddColumn"> = (inputs, outputs) => {
  const [x, columns, updates] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const size = at(x.shape, 1);
  const y = filled(at(outputs, 0), (position) => element(x, position));
  updates.data.forEach((update, row) => {
    const place = row * size + index(columns, row, size);
    y.data[place] = element(y, place) + update;
  });
  return [y];
};

export const gatherColumns: Evaluate<"GatherColumns"> = (inputs, outputs) => {
  const [x, columns] = [at(inputs, 0), at(inputs, 1)];
  const [size, count] = [at(x.shape, 1), at(columns.shape, 0)];
  return [
    filled(at(outputs, 0), (position) => {
      const row = Math.floor(position / count);
      return element(x, row * size + index(columns, position % count, size));
    }),
  ];
};

export const scatterColumns: Evaluate<"ScatterColumns"> = (inputs, outputs) => {
  const [x, columns, updates] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const [size, count] = [at(x.shape, 1), at(columns.shape, 0)];
  const y = filled(at(outputs, 0), (position) => element(x, position));
  updates.data.forEach((update, position) => {
    const place = Math.floor(position / count) * size + index(columns, position % count, size);
    y.data[place] = element(y, place) + update;
  });
  return [y];
};

function index(indices: Tensor, position: number, size: number): number {
  const value = element(indices, position);
  invariant(value >= 0 && value < size, `index ${value} of ${size}`);
  return value;
}
