import Bottleneck from 'bottleneck';

// The library adds to its reservoirs in steps of a quarter second, and looks so often whether one is due.
const stepMs = 250;
const lookMs = 25;

/** Resolves when so much may pass. */
export type Bucket = (amount: number) => Promise<void>;

/** So much per second; at most one second's worth passes at once. The signal ends all waiting, with its reason. */
export const bucket = (perSecond: number, signal: AbortSignal): Bucket => {
  const limiter = new Bottleneck({
    reservoir: perSecond,
    reservoirIncreaseInterval: stepMs,
    reservoirIncreaseAmount: (perSecond * stepMs) / 1000,
    reservoirIncreaseMaximum: perSecond,
    heartbeatInterval: lookMs,
  });
  const aborted = new Promise<never>((_, reject) => {
    const end = (): void => {
      void limiter.disconnect();
      reject(signal.reason as Error);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  aborted.catch(() => undefined);
  return async (amount) => {
    // What is larger than the whole bucket would wait for ever: it passes in as many turns as it needs.
    for (let left = amount; left > 0; left -= perSecond) {
      signal.throwIfAborted();
      await Promise.race([limiter.schedule({ weight: Math.min(left, perSecond) }, () => Promise.resolve()), aborted]);
    }
  };
};
