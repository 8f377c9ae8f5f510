import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AlreadyRunningError, lockHome } from '../../local/home-lock.ts';
import { freePort, listen, PortInUseError } from '../../local/ports.ts';
import { temporaryFolder } from './assembly.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('a state directory belongs to one at a time', () => {
  const home = join(folder.path, 'home');
  const release = lockHome(home);
  expect(() => lockHome(home)).toThrow(AlreadyRunningError);
  expect(() => lockHome(home)).toThrow(/is already starting in .*home\.$/);
  writeFileSync(join(home, 'local.json'), JSON.stringify({ apiUrl: 'http://127.0.0.1:1', pid: 7 }));
  expect(() => lockHome(home)).toThrow(/already running in .*home \(process 7\): http:\/\/127\.0\.0\.1:1$/);
  release();
  lockHome(home)();
});

test('a port belongs to one at a time', async () => {
  const server = createServer();
  const port = await listen(server, 0);
  await expect(listen(createServer(), port)).rejects.toThrow(PortInUseError);
  await expect(freePort(port)).rejects.toThrow(`Port ${port} is in use`);
  server.close();
});
