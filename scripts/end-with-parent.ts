/** What a parent adds to the environment of a child whose standard input is a pipe that it holds. */
export const heldByParent = { STDIN_ENDS_WITH_PARENT: '1' } as const;

/**
 * Ends this process when the one that started it is gone, however it went: that one holds the other end of our standard
 * input. What a stack started ends with us by its own supervisor.
 */
export const endWithParent = (): void => {
  if (process.env['STDIN_ENDS_WITH_PARENT'] === undefined) return;
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(1));
  // `unref` of a pipe: it alone keeps nobody alive.
  (process.stdin as { unref?: () => void }).unref?.();
};
