/** What must hold before the process is ready, each with what is wrong about it or null. */
export type Readiness<Condition extends string = string> = {
  set(condition: Condition, problem: string | null): void;
  /** Empty: ready. */
  problems(): readonly { readonly condition: Condition; readonly problem: string }[];
};

/** Nothing holds until it was said to. `changed` is told of every change. */
export const readinessOf = <Condition extends string>(
  conditions: readonly Condition[],
  changed: (conditions: ReadonlyMap<Condition, boolean>) => void = () => undefined,
): Readiness<Condition> => {
  const states = new Map<Condition, string | null>(conditions.map((condition) => [condition, 'not yet']));
  return {
    set: (condition, problem) => {
      const had = states.get(condition);
      if (had === problem) return;
      states.set(condition, problem);
      changed(new Map([...states].map(([name, state]) => [name, state === null])));
    },
    problems: () => [...states].flatMap(([condition, problem]) => (problem === null ? [] : [{ condition, problem }])),
  };
};
