import { decodeEventValue } from '../../src/sinks/immudb/format/event-value.ts';
import type { Addresses, Site } from './pipeline-process.ts';
import { siteClient } from './site-account.ts';

export type OperatorAct = {
  readonly event_type: string;
  readonly event_outcome: string;
  readonly actor_type: string;
  readonly actor_id: string;
  readonly correlation_id: string;
  readonly event_data: Readonly<Record<string, unknown>>;
};

/** The events of what operators did, as the ledger has them, in their order of time; up to a thousand events are read. */
export const actsOf = async (stack: Addresses, site: Pick<Site, 'database'>): Promise<OperatorAct[]> => {
  const client = await siteClient(stack, site);
  try {
    const entries = await client.scan({ prefix: Buffer.from('event/'), limit: 1000 });
    return entries
      .map(({ key, value }) => JSON.parse(decodeEventValue(key.toString(), value).json.toString()) as TimedAct)
      .filter((event) => event.actor_type === 'operator')
      .sort((a, b) => (a.event_timestamp < b.event_timestamp ? -1 : 1));
  } finally {
    await client.close();
  }
};

type TimedAct = OperatorAct & { readonly event_timestamp: string };
