import { describe, expect, it } from 'vitest';
import { withAccount } from '../../builder/accounts.ts';
import type { BuildSpec, MirrorSpec } from '../../shared/model/build-spec.ts';

const job = {
  version: 1 as const,
  organisation: 'acme',
  buildId: 'bld_1',
  privateRegistries: [],
  resultKey: 'r',
};
const account = (host: string, registryId?: string) => ({
  kind: 'secret' as const,
  host,
  secretArn: 'arn',
  registryId,
});
const build: BuildSpec = {
  ...job,
  kind: 'build',
  dockerfile:
    'FROM python\nCOPY --from=quay.io/team/base:1 a .\nCOPY --from=quay.io/other/base:1 a .\nCOPY --from=ghcr.io/open/base a .\n',
  buildArgs: {},
  bases: {},
  secrets: [],
  registries: [
    account('quay.io', 'reg_quay'),
    account('docker.io', 'reg_hub'),
    { kind: 'ecr', host: 'ecr.example' },
  ],
  otherAccounts: [{ repository: 'other/base', credentials: account('quay.io', 'reg_other') }],
  target: 'ecr.example/acme/app:1',
  cache: 'ecr.example/acme/app:slipway-cache',
};
const side = (host: string, registryId?: string) => ({
  host,
  repository: 'app',
  tag: '1',
  digest: 'sha256:1',
  ...(registryId ? { credentials: account(host, registryId) } : {}),
});
const mirror = (registryId?: string): MirrorSpec => ({
  ...job,
  kind: 'mirror',
  source: side('quay.io', registryId),
  target: side('ghcr.io', 'reg_target'),
  force: false,
});

describe('whose credentials were refused', () => {
  it.each([
    ['quay.io/team/base:1', 'reg_quay'],
    ['quay.io/other/base:1', 'reg_other'],
    ['docker.io/library/python', 'reg_hub'],
    ['python', 'reg_hub'],
    ['ghcr.io/open/base', undefined],
  ])('of the base %s', (name, registryId) => {
    const failure = {
      code: 'base-image-unauthorized',
      message: `The build can't use the base image ${name}: 401.`,
    } as const;
    expect(withAccount(failure, build)).toEqual(registryId ? { ...failure, registryId } : failure);
  });

  it('of the image that is mirrored, where there are any', () => {
    const failure = { code: 'source-unauthorized', message: 'no' } as const;
    expect(withAccount(failure, mirror('reg_source'))).toEqual({ ...failure, registryId: 'reg_source' });
    expect(withAccount(failure, mirror())).toEqual(failure);
  });

  it('is not said of other failures, nor before anything is known', () => {
    for (const code of ['push-unauthorized', 'step-failed', 'base-image-not-found'] as const) {
      const failure = { code, message: "The build can't use the base image python" };
      expect(withAccount(failure, build)).toEqual(failure);
      expect(withAccount(failure, mirror('reg_source'))).toEqual(failure);
    }
    const early = { code: 'base-image-unauthorized', message: '' } as const;
    expect(withAccount(early, undefined)).toEqual(early);
    expect(withAccount(early, build)).toEqual(early);
  });
});
