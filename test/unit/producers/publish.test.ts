import { describe, expect, test } from '@jest/globals';
import {
  type OutgoingMessage,
  type ProducerPort,
  type PublishClock,
  publishEvents,
} from '../../../src/producers/publish.ts';

const messages = (count: number, size = 10): OutgoingMessage[] =>
  Array.from({ length: count }, (_, index) => ({ key: `k${index}`, value: Buffer.alloc(size), headers: {} }));

/** A port that keeps what it was sent, and answers when it is told to, or at once. */
const fakePort = (answer: () => Promise<void> = () => Promise.resolve()) => {
  const sent: (readonly OutgoingMessage[])[] = [];
  let open = 0;
  let mostOpen = 0;
  const port: ProducerPort = {
    send: async (topic, batch) => {
      expect(topic).toBe('t');
      sent.push(batch);
      mostOpen = Math.max(mostOpen, ++open);
      try {
        await answer();
      } finally {
        open--;
      }
    },
  };
  return { port, sent, mostOpen: () => mostOpen, keys: () => sent.flat().map(({ key }) => key) };
};

/** Time passes only by waiting, and by what `spend` says. */
const fakeClock = () => {
  let ms = 0;
  const clock: PublishClock = {
    nowMs: () => ms,
    wait: (duration) => {
      ms += duration;
      return Promise.resolve();
    },
  };
  return { clock, nowMs: () => ms, spend: (duration: number) => (ms += duration) };
};

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
const keysOf = (list: readonly OutgoingMessage[]) => list.map(({ key }) => key);

describe('publishing', () => {
  test('sends everything in order and tells how far it is', async () => {
    const { port, sent, keys } = fakePort();
    const events = messages(1_050);
    const progress: number[] = [];
    const onProgress = (acknowledged: number) => progress.push(acknowledged);
    expect(await publishEvents(port, events, { topic: 't', onProgress })).toEqual({
      acknowledged: 1_050,
      complete: true,
    });
    expect(keys()).toEqual(keysOf(events));
    expect(sent.map((batch) => batch.length)).toEqual([500, 500, 50]);
    expect(progress).toEqual([500, 1_000, 1_050]);
  });

  test('sends nothing for no events', async () => {
    const { port, sent } = fakePort();
    expect(await publishEvents(port, [], { topic: 't' })).toEqual({ acknowledged: 0, complete: true });
    expect(sent).toEqual([]);
  });

  test('cuts batches by bytes too, and sends a large message alone', async () => {
    const { port, sent } = fakePort();
    await publishEvents(port, [...messages(3, 200_000), ...messages(1, 900_000), ...messages(2)], { topic: 't' });
    expect(sent.map((batch) => batch.length)).toEqual([2, 1, 1, 2]);
  });

  test.each([1, 3])('keeps at most %d calls in flight, and reaches that', async (maxInFlight) => {
    const { port, keys, mostOpen } = fakePort(tick);
    const events = messages(100);
    await publishEvents(port, events, { topic: 't', batchSize: 7, maxInFlight });
    expect(mostOpen()).toBe(maxInFlight);
    expect(keys()).toEqual(keysOf(events));
  });

  test('takes no more events ahead than it may', async () => {
    let taken = 0;
    let acknowledged = 0;
    let furthest = 0;
    function* source() {
      for (const message of messages(200)) {
        furthest = Math.max(furthest, ++taken - acknowledged);
        yield message;
      }
    }
    const onProgress = (count: number) => (acknowledged = count);
    await publishEvents(fakePort(tick).port, source(), { topic: 't', batchSize: 10, maxInFlight: 2, onProgress });
    expect(taken).toBe(200);
    expect(furthest).toBeLessThanOrEqual(31);
  });

  test('keeps to the rate, ten batches a second', async () => {
    const { clock, nowMs } = fakeClock();
    const { port, sent } = fakePort();
    await publishEvents(port, messages(1_000), { topic: 't', ratePerSecond: 100, clock });
    expect(sent.every((batch) => batch.length === 10)).toBe(true);
    expect(nowMs()).toBeCloseTo(9_900);
  });

  test('sends one by one at less than ten a second', async () => {
    const { clock, nowMs } = fakeClock();
    const { port, sent } = fakePort();
    await publishEvents(port, messages(3), { topic: 't', ratePerSecond: 0.5, clock });
    expect(sent.length).toBe(3);
    expect(nowMs()).toBeCloseTo(4_000);
  });

  test('makes up for no more than a second after a stall', async () => {
    const { clock, nowMs, spend } = fakeClock();
    let calls = 0;
    const { port } = fakePort(() => {
      if (++calls === 1) spend(60_000);
      return Promise.resolve();
    });
    await publishEvents(port, messages(1_000), { topic: 't', ratePerSecond: 100, clock });
    // 99 batches follow the stall, of which ten or eleven are due at once and the others every 100 ms.
    expect(nowMs()).toBeGreaterThan(60_000 + 8_600);
    expect(nowMs()).toBeLessThan(60_000 + 9_000);
  });

  test('stops at an abort, ends the source, and waits for what is in flight', async () => {
    const aborter = new AbortController();
    let ended = false;
    function* source() {
      try {
        yield* messages(1_000);
      } finally {
        ended = true;
      }
    }
    const { port, sent } = fakePort(tick);
    const onProgress = (acknowledged: number) => {
      if (acknowledged >= 30) aborter.abort();
    };
    const options = { topic: 't', batchSize: 10, maxInFlight: 2, signal: aborter.signal, onProgress };
    const published = await publishEvents(port, source(), options);
    expect(published).toEqual({ acknowledged: sent.flat().length, complete: false });
    expect(published.acknowledged).toBeLessThan(100);
    expect(ended).toBe(true);
  });

  test('does not begin when already aborted', async () => {
    const { port, sent } = fakePort();
    expect(await publishEvents(port, messages(10), { topic: 't', signal: AbortSignal.abort() })).toEqual({
      acknowledged: 0,
      complete: false,
    });
    expect(sent).toEqual([]);
  });

  test('an abort ends the wait for the rate on the real clock', async () => {
    const aborter = new AbortController();
    const { port } = fakePort();
    const onProgress = () => aborter.abort();
    const options = { topic: 't', ratePerSecond: 0.001, signal: aborter.signal, onProgress };
    expect(await publishEvents(port, messages(2), options)).toEqual({ acknowledged: 1, complete: false });
  });

  test("rejects with the port's first error, after the others in flight are answered, and sends no more", async () => {
    let calls = 0;
    let answered = 0;
    const { port, sent } = fakePort(async () => {
      if (++calls === 2) throw new Error('refused');
      await tick();
      await tick();
      answered++;
    });
    await expect(publishEvents(port, messages(1_000), { topic: 't', batchSize: 10, maxInFlight: 3 })).rejects.toThrow(
      'refused',
    );
    expect(answered).toBe(sent.length - 1);
    expect(sent.length).toBeLessThan(10);
  });

  test.each([{ batchSize: 0 }, { maxInFlight: 0 }, { ratePerSecond: -1 }, { ratePerSecond: NaN }])(
    'refuses %j',
    async (options) => {
      const publishing = publishEvents(fakePort().port, messages(1), { topic: 't', ...options });
      await expect(publishing).rejects.toMatchObject({ code: 'USAGE' });
    },
  );
});
