/** @file The linear assignment problem. */
import type { Block, Workspace } from "../linalg/workspace.ts";

/** The column of each row of an n × m block of costs, n ≤ m, such that their sum is least. O(n² m). */
export function assignRows(ws: Workspace, cost: Block): Promise<Int32Array<ArrayBuffer>> {
  return ws.scoped(() => {
    const { rows: n, columns: m } = cost;
    const out = ws.take(1, Math.ceil(n / 2));
    const work = ws.take(1, 4 * (n + m + 8));
    ws.call.assign(n, m, cost.at, out.at, work.at);
    const view = ws.view(out);
    return Promise.resolve(new Int32Array(view.buffer, view.byteOffset, n).slice());
  });
}
