import type { ProduceOptions, Produced } from '../cli/commands.ts';
import type { Config } from '../config.ts';

/** The demo's services. */
export const produce = (_config: Config, _options: ProduceOptions): Promise<Produced> =>
  Promise.reject(new Error('not wired yet'));
