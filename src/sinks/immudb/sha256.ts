import { hash } from 'node:crypto';
import type { Hash } from '../../proofs/hash.ts';

/** Node's one-shot SHA-256. Through latin1 text, which takes a third of the time of its own way to a Buffer. */
export const sha256: Hash = (data) => Buffer.from(hash('sha256', data, 'binary'), 'latin1');
