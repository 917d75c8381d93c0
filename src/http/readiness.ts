/** What must hold before this process does its work. A closed list: it is a label of a metric. */
export const conditions = [
  'ledger-ready',
  'dead-letter-topic-ready',
  'kafka-joined',
  'no-partition-held',
  'not-retrying',
] as const;
export type Condition = (typeof conditions)[number];

/**
 * The state behind /readyz. Every condition is either met or has a reason why not; before anybody spoke of it, the
 * reason is that nothing is known yet. `stopping` is final: nothing makes a stopping process ready again.
 */
export type Readiness = {
  meet(condition: Condition): void;
  /** `why` is shown to operators on /readyz: one short clause, no payload and no secret. */
  miss(condition: Condition, why: string): void;
  stopping(): void;
  /** Something is wrong that keeps nobody from working; null takes it back. Shown with the reasons, changes nothing. */
  warn(subject: string, why: string | null): void;
  warnings(): readonly string[];
  /** Empty when ready. */
  reasons(): readonly string[];
};

/** `onChange` hears every condition whenever one of them changed. */
export const readiness = (onChange: (conditions: ReadonlyMap<Condition, boolean>) => void): Readiness => {
  const missing = new Map<Condition, string>(conditions.map((condition) => [condition, 'not known yet']));
  const warned = new Map<string, string>();
  let isStopping = false;
  const tell = (): void => onChange(new Map(conditions.map((one) => [one, !isStopping && !missing.has(one)])));
  return {
    meet: (condition) => {
      if (missing.delete(condition)) tell();
    },
    miss: (condition, why) => {
      const wasMet = !missing.has(condition);
      missing.set(condition, why);
      if (wasMet) tell();
    },
    stopping: () => {
      if (isStopping) return;
      isStopping = true;
      tell();
    },
    warn: (subject, why) => {
      if (why === null) warned.delete(subject);
      else warned.set(subject, why);
    },
    warnings: () => [...warned].map(([subject, why]) => `${subject}: ${why}`),
    reasons: () => [
      ...(isStopping ? ['stopping'] : []),
      ...[...missing].map(([condition, why]) => `${condition}: ${why}`),
    ],
  };
};
