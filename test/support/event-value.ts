import { type SourceToWrite } from '../../src/sinks/immudb/format/event-source.ts';
import { putEventValue } from '../../src/sinks/immudb/format/event-value.ts';
import { newPen } from '../../src/sinks/immudb/format/pen.ts';

/** The value by itself, as a transaction writes it. */
export const eventValueOf = (source: SourceToWrite, json: Buffer): Buffer => {
  const pen = newPen(64);
  putEventValue(pen, source, json);
  return Buffer.from(pen.bytes.subarray(0, pen.at));
};
