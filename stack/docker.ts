import type { Stack, StackOptions } from './stack.ts';
export const startDockerStack = (options: StackOptions): Promise<Stack> => Promise.reject(new Error(String(options)));
