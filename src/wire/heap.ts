import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets a small heap grow by 30 % before it marks all of it anew, which at full load was five times a second: what a
 * fetch brought lives for several batches, so each time it found most of it alive. Four times that growth keeps the
 * whole process under 256 MiB (docs/decisions/0009-hash-beside.md); an audit, which is over some time, takes more memory
 * for less work.
 */
export const letHeapGrow = (percent = 120): void => setFlagsFromString(`--heap-growing-percent=${percent}`);
