/**
 * `node bench/profile-share.ts FOLDER`: of the CPU profiles that `npm run bench -- --only pipeline --profile FOLDER`
 * wrote, the share of decode and validation in the pipeline's CPU: the samples with the decoder on their stack among
 * those in which a thread was not idle. Garbage is collected outside of any stack, and is told apart.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Node = {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
};
type Profile = {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

const [, , folder = '.'] = process.argv;
const idle = new Set(['(idle)', '(program)', '(root)']);
const isDecode = ({ callFrame: { url } }: Node): boolean => /\/schemas\/(decode|registry\/decoder)\.ts$/.test(url);
/** Samples are a millisecond apart; a thread that did not run meanwhile did not work, whatever its last one says. */
const longestUs = 3_000;

let [busyUs, decodeUs, garbageUs] = [0, 0, 0];

const add = ({ nodes, samples, timeDeltas }: Profile): void => {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const inDecode = new Set<number>();
  const mark = (node: Node, isInside: boolean): void => {
    if (isInside) inDecode.add(node.id);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) mark(child, isInside || isDecode(child));
    }
  };
  const [root] = nodes;
  if (root !== undefined) mark(root, false);
  for (const [index, id] of samples.entries()) {
    const name = byId.get(id)?.callFrame.functionName ?? '';
    const us = Math.min(timeDeltas[index] ?? 0, longestUs);
    if (idle.has(name)) continue;
    busyUs += us;
    if (name === '(garbage collector)') garbageUs += us;
    if (inDecode.has(id)) decodeUs += us;
  }
};

for (const name of readdirSync(folder).filter((one) => one.endsWith('.cpuprofile'))) {
  add(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Profile);
}
const percent = (us: number, of: number): string => `${((100 * us) / of).toFixed(1)} %`;
console.log(`busy ${(busyUs / 1e6).toFixed(1)} s`);
console.log(`decode and validation: ${percent(decodeUs, busyUs)}`);
console.log(`the same, without what garbage took: ${percent(decodeUs, busyUs - garbageUs)}`);
