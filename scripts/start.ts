/** `npm start`: a container engine made sure of, then the embedded cloud in the foreground. */
import { EngineUnavailableError, ensureEngine } from './engine.ts';
import { findLocalCloud, stateDirectory } from './local-cloud.ts';
import { say } from './progress.ts';

const home = stateDirectory();
const running = await findLocalCloud(home);
if (running) {
  say(`Slipway is already running here: ${running.apiUrl} (process ${running.pid}, state in ${home}).`);
  process.exit(1);
}
try {
  await ensureEngine({ yes: process.argv.includes('--yes'), home });
} catch (error) {
  if (!(error instanceof EngineUnavailableError)) throw error;
  say(error.message);
  process.exit(1);
}
await import('../local/main.ts');
