import { describe, expect, test } from '@jest/globals';
import { lifecycle, started, type Closer } from '../../src/lifecycle.ts';

const setUp = () => {
  const steps: string[] = [];
  const closed: string[] = [];
  let expire: (() => void) | undefined;
  const options = {
    telemetry: {
      stepEnded: (step: string, _: number, err?: unknown) => void steps.push(err === undefined ? step : `${step}!`),
    },
    wait: (_: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        expire = resolve;
        signal.addEventListener('abort', () => reject(new Error('timer')));
      }),
  };
  const closer =
    (name: string): (() => Closer) =>
    () =>
    () =>
      void closed.push(name);
  return { options, steps, closed, closer, expire: () => expire?.() };
};
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('lifecycle', () => {
  test('closes in reverse order, once, and every call waits for the same end', async () => {
    const { options, steps, closed, closer } = setUp();
    const life = lifecycle(options);
    expect(await life.open('a', 10, () => 7, closer('a'))).toBe(7);
    await life.open('b', 10, () => Promise.resolve(), closer('b'));
    const first = life.stop();
    expect(life.stop()).toBe(first);
    expect([...(await first)]).toEqual([]);
    expect(closed).toEqual(['b', 'a']);
    expect(steps).toEqual(['open a', 'open b', 'close b', 'close a']);
  });

  test('a step that throws, one that rejects and one that hangs never skip the others', async () => {
    const { options, steps, closed, closer, expire } = setUp();
    const life = lifecycle(options);
    let late: AbortSignal | undefined;
    await life.open('last', 10, () => 0, closer('last'));
    await life.open(
      'throws',
      10,
      () => 0,
      () => () => {
        throw new Error('sync');
      },
    );
    await life.open(
      'rejects',
      10,
      () => 0,
      () => () => Promise.reject(new Error('async')),
    );
    await life.open(
      'hangs',
      10,
      () => 0,
      () => (signal) => {
        late = signal;
        return new Promise(() => undefined);
      },
    );
    const stopping = life.stop();
    await settle();
    expect(late?.aborted).toBe(false);
    expire();
    const errors = await stopping;
    expect(late?.aborted).toBe(true);
    expect([...errors.keys()]).toEqual(['hangs', 'rejects', 'throws']);
    expect(errors.get('hangs')?.message).toBe('closing hangs: not closed within 10 ms');
    expect(errors.get('throws')).toMatchObject({ code: 'UNEXPECTED', cause: { message: 'sync' } });
    expect(closed).toEqual(['last']);
    expect(steps.slice(4)).toEqual(['close hangs!', 'close rejects!', 'close throws!', 'close last']);
  });

  test('a start that fails unwinds itself and rejects with its own error', async () => {
    const { options, closed, closer } = setUp();
    const start = started(options, async (life) => {
      await life.open('a', 10, () => 0, closer('a'));
      await life.open('b', 10, () => Promise.reject(new Error('no broker')), closer('b'));
    });
    await expect(start).rejects.toThrow('no broker');
    expect(closed).toEqual(['a']);
  });

  test('a start that succeeds leaves everything open', async () => {
    const { options, closed, closer } = setUp();
    const { value, life } = await started(options, (opening) => opening.open('a', 10, () => 'made', closer('a')));
    expect([value, closed]).toEqual(['made', []]);
    await life.stop();
    expect(closed).toEqual(['a']);
  });

  test('what opens while stopping is closed at once; nothing opens afterwards', async () => {
    const { options, closed, closer } = setUp();
    const life = lifecycle(options);
    let finish: () => void = () => undefined;
    const opening = life.open('slow', 10, () => new Promise<void>((resolve) => (finish = resolve)), closer('slow'));
    await life.stop();
    finish();
    await expect(opening).rejects.toThrow('opening slow: the process is stopping');
    expect(closed).toEqual(['slow']);
    await expect(life.open('more', 10, () => 0, closer('more'))).rejects.toThrow('stopping');
    expect(closed).toEqual(['slow']);
  });
});
