/** @file A graph as text, one node a line: the goldens' form, and the key by which equal programs are compiled once. */
import type { Graph, Node, OpAttributes, OpName, Value } from "./graph.ts";
import { liveNodes } from "./graph.ts";

/** The live part of a graph; ids are numbered in order of use, so that equal programs print equally. */
export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>();
  const lines: string[] = [];
  const nodes = liveNodes(graph);
  const used = new Set(nodes.flatMap((node) => node.inputs).concat([...graph.outputs.values()]));
  for (const { name, value, binding } of graph.inputs) {
    if (!used.has(value)) continue;
    names.set(value, name);
    lines.push(`${binding === "late" ? "late" : "input"} ${name}: ${typeText(value)}`);
  }
  const nameOf = (value: Value): string => {
    const known = names.get(value);
    if (known !== undefined) return known;
    const name = `%${names.size}`;
    names.set(value, name);
    return name;
  };
  for (const node of nodes) lines.push(nodeText(node, nameOf));
  for (const [name, value] of graph.outputs) lines.push(`output ${name} = ${nameOf(value)}`);
  return `${lines.join("\n")}\n`;
}

function nodeText(node: Node, nameOf: (value: Value) => string): string {
  const inputs = node.inputs.map(nameOf).join(", ");
  const outputs = node.outputs.map((value) => `${nameOf(value)}: ${typeText(value)}`).join(", ");
  return `${outputs} = ${node.op}(${inputs})${attributesText(node.attributes)}`;
}

function typeText(value: Value): string {
  return `${value.dtype}[${value.shape.join(",")}]`;
}

function attributesText(attributes: OpAttributes[OpName]): string {
  // A value among the attributes serves the gradient alone, it is no part of the program.
  const own = Object.entries(attributes).filter(([name]) => name !== "decoded");
  const entries = own.map(([name, value]) => `${name}=${valueText(value)}`);
  return entries.length === 0 ? "" : ` {${entries.join(" ")}}`;
}

function valueText(value: unknown): string {
  if (value instanceof Float32Array || value instanceof Int32Array || value instanceof Uint8Array) {
    if (value.length <= 8) return `[${Array.from(value).join(",")}]`;
    return `[${value.length} elements, hash ${hash(value)}]`;
  }
  return Array.isArray(value) ? `[${value.join(",")}]` : String(value);
}

/** FNV-1a over the bytes, twice from different bases: 64 bits. */
function hash(data: Float32Array | Int32Array | Uint8Array): string {
  let low = 0x811c9dc5;
  let high = 0x2f0b4f1d;
  for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x01000193);
  }
  return `${(high >>> 0).toString(16)}${(low >>> 0).toString(16).padStart(8, "0")}`;
}
