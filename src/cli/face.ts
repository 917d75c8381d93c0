import type { Command } from 'commander';
import type { Config } from '../config.ts';
import type { Output, Paint } from './output.ts';

/** What a group of commands is added with: the program, what it does, and how it is told. */
export type Face<Commands> = {
  readonly program: Command;
  readonly commands: Commands;
  /** Read when a command asks for it: a command that needs none runs without one. */
  readonly config: () => Config;
  readonly output: Output;
  readonly paint: Paint;
  /** The value with --json, else the text. */
  readonly print: (value: unknown, text: () => string) => void;
  readonly exit: (code: number) => void;
};

/** The examples below a command's help. */
export const example = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
