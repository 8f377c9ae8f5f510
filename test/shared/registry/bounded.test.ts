/** One budget of time for all that a registry is asked on behalf of one request. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { bounded } from '../../../shared/registry/bounded.ts';
import { createRegistryClient } from '../../../shared/registry/client.ts';
import { createNetwork } from '../../../shared/registry/network.ts';

const network = createNetwork({ privateHosts: [] });
afterAll(() => network.close());
const answering = (ping: () => Promise<void>, budgetMs: number) =>
  bounded({ ...createRegistryClient({ host: 'r.example', network }), ping }, budgetMs);
const tooSlow = { code: 'unreachable', message: 'r.example responded too slowly' };

it('look-ups side by side take their time once', async () => {
  // Together eight seconds, one after the other.
  const client = answering(() => sleep(200), 6_000);
  await Promise.all(Array.from({ length: 40 }, () => client.ping()));
  await client.ping();
});

it('a look-up that never ends takes all of it, whatever else is answered meanwhile', async () => {
  let asked = 0;
  const client = answering(() => (++asked === 1 ? new Promise(() => undefined) : Promise.resolve()), 1_000);
  const hanging = expect(client.ping()).rejects.toMatchObject(tooSlow);
  await client.ping();
  await client.ping();
  await hanging;
  await expect(client.ping()).rejects.toMatchObject(tooSlow);
  expect(asked).toBe(3);
});

it('look-ups one after the other share it', async () => {
  const client = answering(() => sleep(150), 400);
  const three = async () => {
    for (let i = 0; i < 3; i++) await client.ping();
  };
  await expect(three()).rejects.toMatchObject(tooSlow);
});
