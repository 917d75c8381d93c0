/**
 * Ends this process when the one that started it is gone, however it went: setup.mjs holds the other end of our standard
 * input. What a stack started ends with us by its own supervisor.
 */
export const endWithParent = (): void => {
  if (process.env['STDIN_ENDS_WITH_PARENT'] === undefined) return;
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(1));
  // `unref` of a pipe: it alone keeps nobody alive.
  (process.stdin as { unref?: () => void }).unref?.();
};
