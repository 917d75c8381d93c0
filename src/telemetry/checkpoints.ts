import type { PipelineError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Metrics } from './metrics.ts';

export type CheckpointTelemetry = {
  /** This process publishes checkpoints from now on, or not any more. */
  checkpointsOwned(isOwner: boolean): void;
  /** A transaction that no checkpoint covers yet, and the timestamp (Unix milliseconds) of its oldest record. */
  awaitsCheckpoint(tx: bigint, oldestMs: number): void;
  checkpointPublished(checkpoint: { readonly sequence: bigint; readonly epoch: bigint; readonly tx: bigint }): void;
  checkpointFailed(error: PipelineError): void;
  /** A dual proof showed that the server's present state extends the trusted one. */
  stateProven(tx: bigint): void;
  /** What is trusted of the ledger at the start, and on whose word. */
  trustBegan(by: string, tx: bigint): void;
};

type Context = {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly wallMs: () => number;
};

/** More are not remembered one by one: minutes of transactions that no checkpoint covers. */
const maxAwaiting = 20_000;

export const checkpointTelemetry = ({ log, metrics, now, wallMs }: Context): CheckpointTelemetry => {
  const awaiting: { readonly tx: bigint; readonly oldestMs: number }[] = [];
  let isOwner = false;
  let publishedMs: number | null = null;
  let provenMs = now();
  metrics.beforeReading(() => {
    metrics.set('immutrail_since_last_state_proof_seconds', (now() - provenMs) / 1000, {});
    metrics.set('immutrail_checkpoint_owner', Number(isOwner), {});
    metrics.set('immutrail_checkpoint_age_seconds', (now() - (publishedMs ?? now())) / 1000, {});
    const waitedMs = wallMs() - (awaiting[0]?.oldestMs ?? wallMs());
    metrics.set('immutrail_checkpoint_lag_seconds', Math.max(0, waitedMs / 1000), {});
  });
  return {
    checkpointsOwned: (owns) => {
      isOwner = owns;
      // Of its age this process knows only what it published itself; until then it counts from here.
      publishedMs = owns ? now() : null;
      awaiting.length = 0;
      log.info(owns ? 'checkpoints are published by this process' : 'checkpoints are published by another process');
    },
    awaitsCheckpoint: (tx, oldestMs) => {
      if (isOwner && awaiting.length < maxAwaiting) awaiting.push({ tx, oldestMs });
    },
    checkpointPublished: ({ sequence, epoch, tx }) => {
      publishedMs = now();
      const covered = awaiting.findIndex((one) => one.tx > tx);
      for (const { oldestMs } of awaiting.splice(0, covered === -1 ? awaiting.length : covered))
        metrics.observe('immutrail_event_to_checkpoint_seconds', Math.max(0, wallMs() - oldestMs) / 1000);
      metrics.add('immutrail_checkpoints_total', 1, {});
      metrics.set('immutrail_checkpoint_transaction', Number(tx), {});
      log.debug({ sequence: String(sequence), epoch: String(epoch), tx: String(tx) }, 'checkpoint published');
    },
    checkpointFailed: (error) => {
      metrics.add('immutrail_checkpoint_failures_total', 1, {});
      log.warn({ err: error, code: error.code }, 'checkpoint not published; it is tried again');
    },
    stateProven: (tx) => {
      provenMs = now();
      metrics.add('immutrail_state_proofs_total', 1, {});
      log.trace({ tx: String(tx) }, 'state proven');
    },
    trustBegan: (by, tx) => {
      const fields = { by, tx: String(tx) };
      if (by === 'first use') log.warn(fields, 'the ledger is trusted on first use: pin its genesis');
      else log.info(fields, 'the ledger is trusted from here on');
    },
  };
};
