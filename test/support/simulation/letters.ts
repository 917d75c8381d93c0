import { PipelineError } from '../../../src/errors.ts';
import type { DeadLetter, DeadLetterPlace, DeadLetters } from '../../../src/sinks/dead-letters.ts';
import type { ProcessGate } from './gate.ts';
import type { World } from './world.ts';

/** The dead-letter topic: keeps what it acknowledged, and now and then what it did not. */
export const letterBox = (world: World) => {
  const { random } = world;
  const partitions: DeadLetter[][] = [[], []];

  const keep = (letter: DeadLetter): DeadLetterPlace => {
    const partition = random.between(0, 1);
    const offset = BigInt(partitions[partition]!.push(letter) - 1);
    return { partition, offset };
  };
  const send = async (letters: readonly DeadLetter[]): Promise<readonly DeadLetterPlace[]> => {
    await world.latency();
    const isLost = world.chance(world.faults.letters);
    if (isLost && random.chance(0.5)) throw unavailable();
    const places = letters.map(keep);
    await world.latency();
    if (isLost) throw unavailable();
    return places;
  };

  return {
    forProcess: (gate: ProcessGate): DeadLetters => ({ send: (letters) => gate.through(send(letters)) }),
    at: ({ partition, offset }: DeadLetterPlace): DeadLetter | undefined => partitions[partition]?.[Number(offset)],
    all: () => partitions.flat(),
  };
};

const unavailable = () => new PipelineError('KAFKA_UNAVAILABLE', 'sending dead letters');

export type LetterBox = ReturnType<typeof letterBox>;
