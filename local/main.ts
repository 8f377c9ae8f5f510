/** Entry of the embedded cloud. Thin, so that everything else loads from the compile cache: a faster, smaller start. */
import { enableCompileCache } from 'node:module';
import { resolve } from 'node:path';

enableCompileCache(resolve(import.meta.dirname, '../node_modules/.cache/slipway'));
const { runInForeground } = await import('./foreground.ts');
try {
  await runInForeground();
} catch (error) {
  // Everything that is explained says so in one line; the rest is a fault of ours and shows where.
  const isFault = error instanceof TypeError || error instanceof ReferenceError || !(error instanceof Error);
  console.error(isFault ? error : error.message);
  process.exit(1);
}
