import { readFileSync, writeFileSync } from 'node:fs';

// Loaded before a program (--import): when that ends, its peak of resident memory is in the file that is named. The
// kernel keeps the peak, so no look can come too early.
process.on('exit', () => {
  const [, kB = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  writeFileSync(process.env['PEAK_MEMORY_FILE'], kB);
});
