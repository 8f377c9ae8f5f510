/** O6: the first admin, as an operator makes them, here with the embedded cloud's keys. */
import { expect, inject, it } from 'vitest';
import { CommandError, run } from '../../scripts/command.ts';
import { apiOf } from './client.ts';

const cloud = inject('cloud');

function createAdmin(...args: string[]): Promise<string> {
  return run(process.execPath, ['scripts/create-admin.ts', ...args], {
    env: {
      AWS_ENDPOINT_URL: cloud.endpointUrl,
      AWS_REGION: cloud.region,
      AWS_ACCESS_KEY_ID: cloud.accessKeyId,
      AWS_SECRET_ACCESS_KEY: cloud.secretAccessKey,
    },
  });
}

async function refusal(...args: string[]): Promise<string> {
  const error = await createAdmin(...args).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CommandError)) throw new Error(`create-admin ${args.join(' ')} was not refused`);
  return error.output.trim();
}

const tokenIn = (output: string): string => /slp_[\w.-]+/.exec(output)?.[0] ?? '';

it('O6 made twice it is one member, and every token works until its end', async () => {
  const first = tokenIn(await createAdmin('--organisation', 'globex', '--days', '2'));
  const second = tokenIn(await createAdmin('--organisation', 'globex'));
  expect(second).not.toBe(first);
  const api = apiOf(cloud.apiUrl, first);
  expect(await api.read('/v1/me')).toMatchObject({ role: 'admin', organisation: { id: 'globex' } });
  const { items } = await api.read('/v1/members');
  expect(items.filter((one: { email: string }) => one.email === 'grace@globex.example')).toHaveLength(1);
  const tokens = (await api.read('/v1/tokens')).items as { expiresAt: string }[];
  const days = tokens.map(({ expiresAt }) => Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000));
  expect(days).toEqual(expect.arrayContaining([2, 30]));
});

it('O6 without a token only the member is made', async () => {
  const output = await createAdmin('--organisation', 'globex', '--email', 'lin@globex.example', '--no-token');
  expect(output).toContain('lin@globex.example is an admin of globex');
  expect(tokenIn(output)).toBe('');
});

it('O6 what it cannot do it says in one line', async () => {
  expect(await refusal('--organisation', 'initech')).toBe(
    'Stage local has no organisation initech, only acme, globex.',
  );
  expect(await refusal('--days', 'many')).toBe("--days must be a whole number from 1 to 3650, not 'many'.");
  expect(await refusal('--subject', 'abc')).toMatch(/^Omit --subject: this stage has a user pool/);
  expect(await refusal('--stage', 'example')).toMatch(
    /^This account and region have no function slipway-example-organisation/,
  );
  expect(await refusal('--stage', 'nowhere')).toMatch(/^There is no stage nowhere/);
});
