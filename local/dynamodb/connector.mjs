/**
 * Runs beside the DynamoDB engine, in the engine's network namespace: starts the engine, and opens connections to it for
 * the embedded cloud, which gets them over the process channel. A connection belongs to the namespace it was opened in,
 * so the cloud talks to the engine directly, and nothing outside the namespace finds a port.
 * Arguments: port, program, its arguments.
 */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';

const [port, program, ...args] = process.argv.slice(2);
const engine = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
engine.once('error', (error) => process.send({ failure: error.message }, () => process.exit(1)));
engine.once('exit', (code, signal) => {
  process.stderr.write(signal ? `ended by ${signal}` : `exit code ${code}`);
  process.exit(1);
});

process.on('message', (id) => {
  const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
  socket.once('connect', () => process.send({ id }, socket));
  socket.once('error', (error) => process.send({ id, failure: error.message }));
});
// The signal goes to the whole group: the engine ends in order, and this process after it.
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => engine.kill('SIGKILL'));
process.send({ isReady: true });
