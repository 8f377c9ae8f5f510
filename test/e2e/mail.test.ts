/** B4: with an SMTP server configured, mail really goes there, besides the outbox. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureTinyBase } from '../../scripts/base-image.ts';
import { ensureEngine } from '../../scripts/engine.ts';
import { ensureLocalCloud, type RunningCloud } from '../../scripts/local-cloud.ts';
import { freePorts } from '../../scripts/ports.ts';
import { apiOf, settled, unique } from './client.ts';

interface Received {
  to: string[];
  text: string;
}

const received: Received[] = [];
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onData(stream, session, done) {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('end', () => {
      received.push({ to: session.envelope.rcptTo.map(({ address }) => address), text });
      done();
    });
  },
});
let home: string;
let running: RunningCloud;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-mail-'));
  const port = await freePorts();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.server.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  process.env.SLIPWAY_PORT = String(port);
  process.env.SLIPWAY_SMTP_URL = `smtp://127.0.0.1:${address.port}`;
  running = await ensureLocalCloud(home, () => {});
});

afterAll(async () => {
  await running.stop();
  await new Promise<void>((closed) => server.close(closed));
  await rm(home, { recursive: true, force: true });
});

it('B4 reaches author and recipients once, and respects the preference', async () => {
  const { cloud } = running;
  const api = apiOf(cloud.apiUrl, cloud.token);
  const base = (await ensureTinyBase(await ensureEngine({ yes: true }), cloud, 'acme')).reference;
  const build = async (dockerfile: string) => {
    const { body } = await api.post('/v1/images', {
      source: { type: 'build', dockerfile },
      registryId: 'reg_private',
      repository: unique('mail'),
      tag: '1',
    });
    return await api.until(`/v1/builds/${body.currentBuild.id}`, settled);
  };
  const about = (id: string) => received.filter(({ text }) => text.includes(id));
  const settings = (preference: string) =>
    api.call('PUT', '/v1/settings', { notifications: { preference, recipients: ['team@acme.example'] } });

  expect((await settings('always')).status).toBe(200);
  const first = await build(`FROM ${base}\n`);
  await expect
    .poll(() =>
      about(first.id)
        .flatMap(({ to }) => to)
        .sort(),
    )
    .toEqual(['ada@acme.example', 'team@acme.example']);
  const plain = about(first.id)[0]
    ?.text.replace(/=\r?\n/g, '')
    .replaceAll('=3D', '=');
  const link = /^Log: (\S+)/m.exec(plain ?? '')?.[1] ?? '';
  // As a browser opens it: nothing but the link.
  const page = await fetch(link);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toContain(first.id);
  const guessed = await fetch(link.replace(/key=.*/, `key=${'A'.repeat(43)}`));
  expect(guessed.status).toBe(404);
  expect(await guessed.text()).toContain('expired');

  await settings('errors');
  const quiet = await build(`FROM ${base}\n`);
  const loud = await build(`FROM ${base}\nRUN exit 9\n`);
  await expect.poll(() => about(loud.id).length).toBeGreaterThan(0);
  expect(about(quiet.id)).toEqual([]);
});
