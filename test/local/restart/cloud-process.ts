/** An embedded cloud in a process of its own, so that a test can kill it. Arguments: home, assembly, port. */
import { startCloud } from '../../../local/start.ts';

const [home = '', assembly = '', port = '0'] = process.argv.slice(2);
try {
  const { stop, ...facts } = await startCloud({ home, prepare: () => ({ assembly }), port: Number(port) });
  process.on('SIGTERM', () => void stop().then(() => process.exit(0)));
  console.log(JSON.stringify(facts));
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
