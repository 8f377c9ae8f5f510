import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSecretsManager, type SecretsManager } from '../../local/secrets-manager.ts';
import { call, roleNamed, type TestCloud, testCloud } from './test-cloud.ts';

let cloud: TestCloud;
let secrets: SecretsManager;
const ask = (operation: string, input: object) => call(cloud, secrets, operation, input);
const create = (Name: string, SecretString: string, more: object = {}) =>
  ask('CreateSecret', { Name, SecretString, ...more });
const current = async (SecretId: string): Promise<string> =>
  (await ask('GetSecretValue', { SecretId })).SecretString;
const code = (name: string) => ({ code: name });

beforeEach(() => {
  cloud = testCloud();
  secrets = createSecretsManager(cloud);
});
afterEach(() => cloud.remove());

test('R1 a secret is found by name, by ARN and by ARN without its suffix', async () => {
  const { ARN } = await create('slipway/local/acme/registries/reg_1', 'one');
  expect(ARN).toMatch(/:secret:slipway\/local\/acme\/registries\/reg_1-[A-Za-z0-9]{6}$/);
  expect(await current('slipway/local/acme/registries/reg_1')).toBe('one');
  expect(await current(ARN)).toBe('one');
  expect(await current(ARN.slice(0, -7))).toBe('one');
});

test('an ARN without suffix whose name ends like a suffix is not found', async () => {
  const { ARN } = await create('slipway/hf-secret', 'one');
  await expect(current(ARN.slice(0, -7))).rejects.toMatchObject(code('ResourceNotFoundException'));
  expect(await current(ARN)).toBe('one');
});

test('R3 a new value keeps the ARN, and the one before stays as AWSPREVIOUS', async () => {
  const { ARN } = await create('a', 'one');
  await ask('PutSecretValue', { SecretId: 'a', SecretString: 'two' });
  await ask('UpdateSecret', { SecretId: 'a', SecretString: 'three', Description: 'rotated' });
  expect(await current('a')).toBe('three');
  const previous = await ask('GetSecretValue', { SecretId: 'a', VersionStage: 'AWSPREVIOUS' });
  expect(previous).toMatchObject({ ARN, SecretString: 'two', VersionStages: ['AWSPREVIOUS'] });
  const described = await ask('DescribeSecret', { SecretId: 'a' });
  expect(described).toMatchObject({ ARN, Description: 'rotated' });
  expect(Object.values(described.VersionIdsToStages).flat().sort()).toEqual(['AWSCURRENT', 'AWSPREVIOUS']);
});

test('the same ClientRequestToken twice is one version, and another value under it is refused', async () => {
  const ClientRequestToken = randomUUID();
  const first = await create('a', 'one', { ClientRequestToken });
  expect(await create('a', 'one', { ClientRequestToken })).toEqual(first);
  await expect(create('a', 'two', { ClientRequestToken })).rejects.toMatchObject(
    code('ResourceExistsException'),
  );
  await expect(create('a', 'one')).rejects.toMatchObject(code('ResourceExistsException'));
  const put = { SecretId: 'a', SecretString: 'two', ClientRequestToken: randomUUID() };
  await ask('PutSecretValue', put);
  await ask('PutSecretValue', put);
  expect((await ask('GetSecretValue', { SecretId: 'a', VersionStage: 'AWSPREVIOUS' })).SecretString).toBe(
    'one',
  );
  await expect(ask('PutSecretValue', { ...put, SecretString: 'three' })).rejects.toMatchObject(
    code('ResourceExistsException'),
  );
});

test('a value above 64 KiB is refused, counted in bytes', async () => {
  await create('fits', 'x'.repeat(65_536));
  await expect(create('large', 'x'.repeat(65_537))).rejects.toMatchObject(code('ValidationException'));
  await expect(create('wide', 'ä'.repeat(32_769))).rejects.toMatchObject(code('ValidationException'));
  await expect(ask('DescribeSecret', { SecretId: 'large' })).rejects.toMatchObject(
    code('ResourceNotFoundException'),
  );
});

test.each(['with space', 'ümlaut', 'x'.repeat(513), ''])('the name %j is refused', async (name) => {
  await expect(create(name, 'one')).rejects.toMatchObject(code('ValidationException'));
});

test('a deleted secret is unreadable, blocks its name, can be restored and goes after its window', async () => {
  await create('a', 'one');
  await ask('DeleteSecret', { SecretId: 'a', RecoveryWindowInDays: 7 });
  await expect(current('a')).rejects.toMatchObject(code('InvalidRequestException'));
  await expect(create('a', 'two')).rejects.toMatchObject(code('InvalidRequestException'));
  await ask('RestoreSecret', { SecretId: 'a' });
  expect(await current('a')).toBe('one');
  await ask('DeleteSecret', { SecretId: 'a', RecoveryWindowInDays: 7 });
  cloud.time += 7 * 86_400_000;
  await secrets.start?.();
  await secrets.stop?.();
  await create('a', 'two');
  expect(await current('a')).toBe('two');
});

test('a forced deletion is at once, and again, and of nothing', async () => {
  await create('a', 'one');
  for (const SecretId of ['a', 'a', 'never'])
    await ask('DeleteSecret', { SecretId, ForceDeleteWithoutRecovery: true });
  await expect(current('a')).rejects.toMatchObject(code('ResourceNotFoundException'));
});

test.each([
  { RecoveryWindowInDays: 6 },
  { RecoveryWindowInDays: 31 },
  { RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true },
])('deleting with %j is refused', async (options) => {
  await create('a', 'one');
  await expect(ask('DeleteSecret', { SecretId: 'a', ...options })).rejects.toMatchObject(
    code('InvalidParameterException'),
  );
  expect(await current('a')).toBe('one');
});

test('E13 values are sealed at rest under a key of mode 0600 and open after a restart', async () => {
  await create('a', 'very-secret-value');
  expect(statSync(join(cloud.home, 'secrets.key')).mode & 0o777).toBe(0o600);
  cloud.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  expect(readFileSync(join(cloud.home, 'cloud.db')).includes('very-secret-value')).toBe(false);
  cloud = cloud.reopened();
  secrets = createSecretsManager(cloud);
  expect(await current('a')).toBe('very-secret-value');
});

test('another key file than the one in use is noticed at the start', () => {
  writeFileSync(join(cloud.home, 'secrets.key'), randomBytes(32));
  expect(() => createSecretsManager(cloud)).toThrow(/is not the key/);
  writeFileSync(join(cloud.home, 'secrets.key'), 'short');
  expect(() => createSecretsManager(cloud)).toThrow(/must be a key of 32 bytes/);
});

test('every call is authorized on the full ARN, missing secrets on their name', async () => {
  const { ARN } = await create('a', 'one', { Tags: [{ Key: 'slipway:organisation', Value: 'acme' }] });
  cloud.deny = ({ action }) => action === 'secretsmanager:GetSecretValue';
  await expect(current('a')).rejects.toMatchObject(code('AccessDeniedException'));
  expect(cloud.authorizations.at(-1)).toMatchObject({
    resource: ARN,
    context: { 'aws:ResourceTag/slipway:organisation': 'acme' },
  });
  await expect(current('missing')).rejects.toMatchObject(code('AccessDeniedException'));
  expect(cloud.authorizations.at(-1)?.resource).toBe(
    'arn:aws:secretsmanager:us-east-1:000000000000:secret:missing',
  );
});

test('containers read whole values and JSON keys, as their role', async () => {
  const { ARN } = await create('reg', JSON.stringify({ username: 'ada', password: 'pw' }));
  const role = roleNamed('slipway-local-acme-execution');
  expect(secrets.readSecret(role, `${ARN}:password::`)).toBe('pw');
  expect(secrets.readSecret(role, 'reg:username')).toBe('ada');
  expect(JSON.parse(secrets.readSecret(role, ARN))).toEqual({ username: 'ada', password: 'pw' });
  expect(cloud.authorizations.at(-1)?.principal).toBe(role.arn);
  expect(() => secrets.readSecret(role, `${ARN}:token::`)).toThrow(/did not contain json key token/);
  cloud.deny = () => true;
  expect(() => secrets.readSecret(role, ARN)).toThrow(/not authorized/);
});

test('listing pages, filters by name, and leaves out what is to be deleted', async () => {
  for (const name of ['a/1', 'a/2', 'b/1']) await create(name, 'x');
  await ask('DeleteSecret', { SecretId: 'a/2' });
  const Filters = [{ Key: 'name', Values: ['a/'] }];
  const names = (page: { SecretList: { Name: string }[] }): string[] =>
    page.SecretList.map((one) => one.Name);
  expect(names(await ask('ListSecrets', { Filters }))).toEqual(['a/1']);
  expect(names(await ask('ListSecrets', { Filters, IncludePlannedDeletion: true }))).toHaveLength(2);
  const first = await ask('ListSecrets', { MaxResults: 1 });
  expect(names(await ask('ListSecrets', { MaxResults: 1, NextToken: first.NextToken }))).toHaveLength(1);
});

test('a declared secret is generated once, kept across starts, and made anew when its declaration changes', async () => {
  const declare = async (properties: object): Promise<string> => {
    const type = 'AWS::SecretsManager::Secret';
    const declared = { stack: 'data', logicalId: 'TokenKey', properties };
    const physicalId = secrets.resourceTypes?.[type]?.physicalId(declared, cloud) ?? '';
    await secrets.deploy?.([{ ...declared, type, physicalId, attributes: {} }]);
    return physicalId;
  };
  const properties = { Name: 'key', GenerateSecretString: { PasswordLength: 48, ExcludePunctuation: true } };
  const arn = await declare(properties);
  const value = await current(arn);
  expect(value).toMatch(/^[A-Za-z0-9]{48}$/);
  cloud = cloud.reopened();
  secrets = createSecretsManager(cloud);
  await declare({ ...properties, Description: 'signs tokens' });
  expect(await current(arn)).toBe(value);
  await declare({
    Name: 'key',
    GenerateSecretString: { SecretStringTemplate: '{"user":"ada"}', GenerateStringKey: 'password' },
  });
  expect(JSON.parse(await current(arn))).toEqual({
    user: 'ada',
    password: expect.stringMatching(/^.{32}$/s),
  });
});

test('wrong types are a SerializationException, both kinds of value an InvalidParameterException', async () => {
  await expect(ask('CreateSecret', { Name: 5 })).rejects.toMatchObject(code('SerializationException'));
  await expect(create('a', 'one', { SecretBinary: 'b25l' })).rejects.toMatchObject(
    code('InvalidParameterException'),
  );
});
