import { equalBytes } from './bytes.ts';
import type { DualProof } from './dual-proof.ts';
import { appendLeaf, emptyFrontier, frontierOf, frontierRoot, type Frontier } from './frontier.ts';
import type { Hash } from './hash.ts';
import { alh, type TxHeader } from './header.ts';
import { leafHash } from './merkle-tree.ts';
import type { TxHash } from './linking.ts';
import { requireProof } from './proof-error.ts';
import { bytesOfHex, hexOfBytes } from './hex.ts';

/**
 * How far a ledger has been followed. With the frontier of the linking tree (over the hashes of transactions 1 to `id`)
 * every header is checked whole; without it all but its `blRoot` is.
 */
export type ChainState = TxHash & { readonly frontier: Frontier | null };

/** Before transaction 1. */
export const emptyChain = (hash: Hash): ChainState => ({
  id: 0n,
  alh: hash(new Uint8Array()),
  frontier: emptyFrontier,
});

/** The state after this header, which must be the next one. Throws ProofError if it does not follow. */
export const followHeader = (state: ChainState, header: TxHeader, hash: Hash): ChainState => {
  const { id, frontier } = state;
  const name = `header of transaction ${header.id.toString()}`;
  requireProof(header.id === id + 1n, 'chain', `${name} where ${(id + 1n).toString()} is due`);
  requireProof(equalBytes(header.prevAlh, state.alh), 'chain', `${name} follows another transaction ${id.toString()}`);
  requireProof(header.blTxId === id, 'chain', `${name} has a lagging linking tree`);
  const isLinked = frontier === null || equalBytes(header.blRoot, frontierRoot(frontier, hash));
  requireProof(isLinked, 'chain', `${name} states another linking tree`);
  const next = alh(header, hash);
  const grown = frontier === null ? null : appendLeaf(frontier, leafHash(next, hash), hash);
  return { id: header.id, alh: next, frontier: grown };
};

/**
 * The state at the target of a dual proof, which must have been verified. The path of the last leaf in the target's
 * linking tree is its frontier without that leaf, so a client that jumped ahead by a proof can go on checking whole
 * headers.
 */
export const chainAtTarget = ({ target, targetBlTxAlh, lastInclusion }: DualProof, hash: Hash): ChainState => {
  const own = alh(target, hash);
  const before =
    target.blTxId === 0n ? emptyFrontier : lastLeafFrontier(target.blTxId, targetBlTxAlh, lastInclusion, hash);
  requireProof(target.blTxId === target.id - 1n, 'unsupported', 'linking tree of the target lags');
  return { id: target.id, alh: own, frontier: appendLeaf(before, leafHash(own, hash), hash) };
};

const lastLeafFrontier = (size: bigint, last: Uint8Array, path: readonly Uint8Array[], hash: Hash): Frontier =>
  appendLeaf(frontierOf(size - 1n, path.toReversed()), leafHash(last, hash), hash);

/** A state as JSON keeps it: the id in decimal digits, hashes in hexadecimal. */
export type ChainJson = { readonly tx: string; readonly alh: string; readonly frontier?: readonly string[] };

export const chainToJson = ({ id, alh, frontier }: ChainState): ChainJson => ({
  tx: id.toString(),
  alh: hexOfBytes(alh),
  ...(frontier === null ? {} : { frontier: frontier.hashes.map(hexOfBytes) }),
});

/** Throws ProofError (`malformed`) for what `chainToJson` does not make. */
export const chainFromJson = ({ tx, alh, frontier }: ChainJson): ChainState => {
  requireProof(/^(0|[1-9][0-9]{0,19})$/.test(tx), 'malformed', 'transaction id is not a decimal number');
  const id = BigInt(tx);
  const hashes = frontier?.map((each) => bytesOfHex(each, 32));
  return { id, alh: bytesOfHex(alh, 32), frontier: hashes === undefined ? null : frontierOf(id, hashes) };
};
