import { describe, expect, test } from 'vitest';
import type { BuildRecord } from '../../../shared/build/record.ts';
import { type BuildRequest, identityOf } from '../../../shared/build/request.ts';
import { ownRepositories, specOf } from '../../../shared/build/spec.ts';
import { parseSpecKey, specKey } from '../../../shared/model/build-keys.ts';
import { buildSpecSchema } from '../../../shared/model/build-spec.ts';
import { defaultRegistries } from '../../../shared/registry/defaults.ts';
import { parseReference } from '../../../shared/registry/reference.ts';
import { parseRegistryUrl } from '../../../shared/registry/url.ts';
import type { KnownRegistry } from '../../../shared/store/registries.ts';

const ecrRegistry = '000000000000.dkr.ecr.us-east-1.amazonaws.com';
const known = (id: string, url: string, secretArn?: string): KnownRegistry => ({
  ...parseRegistryUrl(url, []),
  registry: {
    ...(defaultRegistries('acme', ecrRegistry)[0] as KnownRegistry['registry']),
    id,
    url,
    isDefault: false,
    hasCredentials: secretArn !== undefined,
  },
  version: 1,
  ...(secretArn ? { secretArn } : {}),
});
const sources = {
  organisation: 'acme',
  ecrRegistry,
  privateRegistries: ['registry.internal'],
  registries: [
    ...defaultRegistries('acme', ecrRegistry).map((registry) => ({
      ...parseRegistryUrl(registry.url, []),
      registry,
      version: 0,
    })),
    known('reg_quay', 'quay.io', 'arn:quay'),
    known('reg_team', 'quay.io/team', 'arn:team'),
    known('reg_other', '111111111111.dkr.ecr.eu-west-1.amazonaws.com'),
  ],
};
const request: BuildRequest = {
  dockerfile: 'FROM python:3\n',
  buildArgs: {},
  secrets: {},
  references: ['python:3'],
  bases: {},
  secretSources: [],
  computes: [],
};
const record = (uri: string, registryId = 'reg_private') => ({ id: 'bld_1', uri, registryId }) as BuildRecord;

describe('B1 B6 B9 what the builder gets', () => {
  test('B13 where nothing is pushed: no account of the target, and no repository to be made', () => {
    const unpushed: BuildRequest = { ...request, push: false };
    const spec = specOf(record('quay.io/team/x:1', 'reg_team'), unpushed, sources);
    expect(buildSpecSchema.parse(spec)).toEqual(spec);
    expect(spec.push).toBe(false);
    // The cache is read.
    expect(spec.registries.map(({ host }) => host)).toEqual([ecrRegistry]);
    const own = specOf(record(`${ecrRegistry}/acme/x:1`), unpushed, sources);
    expect(ownRepositories(own, ecrRegistry)).toEqual([]);
  });

  test('credentials of the own space, where the image goes, and its cache beside it', () => {
    const spec = specOf(record(`${ecrRegistry}/acme/x:1`), request, sources);
    expect(buildSpecSchema.parse(spec)).toEqual(spec);
    expect(spec).toMatchObject({
      cache: `${ecrRegistry}/acme/x:slipway-cache`,
      registries: [{ kind: 'ecr', host: ecrRegistry, accountId: '000000000000', region: 'us-east-1' }],
      privateRegistries: ['registry.internal'],
    });
    expect(spec).not.toHaveProperty('certificateAuthorities');
    const trusting = { ...sources, certificateAuthorities: 'PEM' };
    expect(specOf(record(`${ecrRegistry}/acme/x:1`), request, trusting)).toEqual({
      ...spec,
      certificateAuthorities: 'PEM',
    });
    expect(ownRepositories(spec, ecrRegistry)).toEqual(['acme/x']);
  });

  test('R8 in the own ECR the role counts, whatever is stored with a registry that lies there', () => {
    const registries = [...sources.registries, known('reg_ours', `${ecrRegistry}/acme/ours`, 'arn:ours')];
    const based = { ...request, references: [`${ecrRegistry}/acme/ours/base:1`] };
    const spec = specOf(record(`${ecrRegistry}/acme/ours/x:1`, 'reg_ours'), based, {
      ...sources,
      registries,
    });
    expect(spec.registries).toEqual([expect.objectContaining({ kind: 'ecr', host: ecrRegistry })]);
    expect(spec.otherAccounts ?? []).toEqual([]);
  });

  test('for another registry, the cache in the own space all the same', () => {
    const spec = specOf(record('quay.io/team/deep/x:1', 'reg_team'), request, sources);
    expect(spec.cache).toBe(`${ecrRegistry}/acme/cache/reg_team/team/deep/x:slipway-cache`);
    expect(spec.registries).toEqual([
      { kind: 'secret', host: 'quay.io', secretArn: 'arn:team', registryId: 'reg_team' },
      expect.objectContaining({ kind: 'ecr', host: ecrRegistry }),
    ]);
    expect(ownRepositories(spec, ecrRegistry)).toEqual(['acme/cache/reg_team/team/deep/x']);
  });

  test('the cache of a repository with a long name has a valid name of its own', () => {
    const prefix = 'acme/cache/reg_team/';
    const caches = ['a', 'b'].map((end) => {
      // Cut at 255 characters, the name would end in a separator.
      const repository = `${'x'.repeat(254 - prefix.length)}-${end}`;
      return specOf(record(`quay.io/${repository}:1`, 'reg_team'), request, sources).cache;
    });
    for (const cache of caches) {
      const { repository } = parseReference(cache);
      expect(repository.startsWith(`${prefix}xxx`)).toBe(true);
      expect(repository.length).toBeLessThanOrEqual(255);
    }
    expect(new Set(caches).size).toBe(2);
  });

  test('every base gets the credentials of the longest registry that matches; public ones get none, nor does another ECR by our role', () => {
    const references = [
      'quay.io/team/base:1',
      '111111111111.dkr.ecr.eu-west-1.amazonaws.com/y',
      'ghcr.io/z',
      'python',
    ];
    const { registries } = specOf(record(`${ecrRegistry}/acme/x:1`), { ...request, references }, sources);
    expect(registries.map((one) => [one.host, one.kind === 'secret' ? one.secretArn : one.region])).toEqual([
      [ecrRegistry, 'us-east-1'],
      ['quay.io', 'arn:team'],
    ]);
  });

  test("B6 an engine gets one account for each host, the target's first; other accounts go with the bases that they count for", () => {
    const references = [
      'quay.io/base:1',
      'quay.io/team/base:1',
      'quay.io/other:1',
      'quay.io/base:2',
      'python',
    ];
    const quay = { kind: 'secret', host: 'quay.io', secretArn: 'arn:quay', registryId: 'reg_quay' };
    const team = { kind: 'secret', host: 'quay.io', secretArn: 'arn:team', registryId: 'reg_team' };
    const toTeam = specOf(record('quay.io/team/x:1', 'reg_team'), { ...request, references }, sources);
    expect(buildSpecSchema.parse(toTeam)).toEqual(toTeam);
    expect(toTeam.registries).toContainEqual(team);
    expect(toTeam.otherAccounts).toEqual([
      { repository: 'base', credentials: quay },
      { repository: 'other', credentials: quay },
    ]);
    const toElsewhere = specOf(record(`${ecrRegistry}/acme/x:1`), { ...request, references }, sources);
    expect(toElsewhere.registries).toContainEqual(quay);
    expect(toElsewhere.otherAccounts).toEqual([{ repository: 'team/base', credentials: team }]);
    const ofOne = { ...request, references: ['quay.io/team/base:1', 'python'] };
    expect(specOf(record('quay.io/team/x:1', 'reg_team'), ofOne, sources)).not.toHaveProperty(
      'otherAccounts',
    );
  });

  test('B6 of one base: an account below a path of Docker Hub counts, whichever way the base is written', () => {
    const hub = [
      ...sources.registries,
      known('reg_me', 'docker.io/me', 'arn:me'),
      known('reg_library', 'docker.io/library', 'arn:library'),
    ];
    const references = ['me/base:1', 'python:3', 'docker.io/library/ubuntu'];
    const spec = specOf(
      record(`${ecrRegistry}/acme/x:1`),
      { ...request, references },
      { ...sources, registries: hub },
    );
    expect(spec.registries).toContainEqual({
      kind: 'secret',
      host: 'docker.io',
      secretArn: 'arn:me',
      registryId: 'reg_me',
    });
    const library = {
      kind: 'secret',
      host: 'docker.io',
      secretArn: 'arn:library',
      registryId: 'reg_library',
    };
    expect(spec.otherAccounts).toEqual([
      { repository: 'library/python', credentials: library },
      { repository: 'library/ubuntu', credentials: library },
    ]);
  });

  test('B16 secrets by reference only', () => {
    const secretSources = [{ id: 'token', secretArn: 'arn:token', versionId: 'v1' }];
    expect(specOf(record(`${ecrRegistry}/acme/x:1`), { ...request, secretSources }, sources).secrets).toEqual(
      [{ id: 'token', secretArn: 'arn:token', versionId: 'v1' }],
    );
  });

  test('its key names the build and nothing else does', () => {
    expect(parseSpecKey(specKey('acme', 'bld_1'))).toEqual({ organisation: 'acme', buildId: 'bld_1' });
    for (const key of [
      'acme/builds/../spec.json',
      'acme/builds/bld_1/result.json',
      'x',
      'a/b/builds/bld_1/spec.json',
    ])
      expect(parseSpecKey(key)).toBeUndefined();
  });
});

describe('B8 identity', () => {
  const context = { key: 'k', sha256: 'c', sizeBytes: 1 };
  test('is the same for the same inputs, however they are ordered', () => {
    const one = { ...request, buildArgs: { A: '1', B: '2' }, context };
    expect(identityOf({ ...one, buildArgs: { B: '2', A: '1' } })).toBe(identityOf(one));
    expect(identityOf({ ...one, context: { ...context, key: 'another upload of the same bytes' } })).toBe(
      identityOf(one),
    );
    expect(identityOf(one)).toMatch(/^[0-9a-f]{64}$/);
  });

  test('differs in every input', () => {
    const all = [
      request,
      { ...request, dockerfile: 'FROM x' },
      { ...request, context },
      { ...request, buildArgs: { A: '1' } },
      { ...request, secretSources: [{ id: 'a', secretArn: 'x', versionId: '1' }] },
      { ...request, secretSources: [{ id: 'a', secretArn: 'x', versionId: '2' }] },
    ].map(identityOf);
    expect(new Set(all).size).toBe(all.length);
  });
});
