import { maxEventTimeUs } from '../../../schemas/event-time.ts';
import { refuse } from './invalid.ts';
import { type Pen, putPadded } from './pen.ts';

/** The largest Kafka offset and immudb transaction id that the format can hold: 2^63 - 1. */
export const maxInt64 = 9_223_372_036_854_775_807n;
export const maxLog = 9_999;
export const maxPartition = 99_999;

const padInteger = (what: string, value: number, max: number, width: number): string =>
  String(checked(what, value, max)).padStart(width, '0');

const checked = (what: string, value: number, max: number): number => {
  if (!Number.isSafeInteger(value) || value < 0 || value > max) refuse(what, `${value} is not in 0…${max}`);
  return value;
};

/** 4 digits. */
export const padLog = (log: number): string => padInteger('log', log, maxLog, 4);

/** 5 digits. */
export const padPartition = (partition: number): string => padInteger('partition', partition, maxPartition, 5);

/** 16 digits, Unix microseconds from 1970 to the end of 2199. */
export const padTime = (timeUs: number): string => padInteger('time', timeUs, maxEventTimeUs, 16);

/** Writes what padTime returns. */
export const putTime = (pen: Pen, timeUs: number): void => putPadded(pen, checked('time', timeUs, maxEventTimeUs), 16);

/** 19 digits. */
export const padOffset = (offset: bigint): string => {
  if (offset < 0n || offset > maxInt64) refuse('offset', `${String(offset)} is not in 0…${String(maxInt64)}`);
  return String(offset).padStart(19, '0');
};

const unpadInteger = (text: string, width: number, max: number): number | null => {
  if (text.length !== width || !/^\d+$/.test(text)) return null;
  const value = Number(text);
  return value <= max ? value : null;
};

/** The inverse of padLog; null for any other text. */
export const unpadLog = (text: string): number | null => unpadInteger(text, 4, maxLog);

/** The inverse of padPartition; null for any other text. */
export const unpadPartition = (text: string): number | null => unpadInteger(text, 5, maxPartition);

/** The inverse of padTime; null for any other text. */
export const unpadTime = (text: string): number | null => unpadInteger(text, 16, maxEventTimeUs);

/** The inverse of padOffset; null for any other text. */
export const unpadOffset = (text: string): bigint | null => {
  if (!/^\d{19}$/.test(text)) return null;
  const value = BigInt(text);
  return value <= maxInt64 ? value : null;
};
