import { expect, it } from 'vitest';
import local from '../../../infra/stages/local.json' with { type: 'json' };
import { stageSchema } from '../../../shared/model/stage.ts';
import { certificateAuthority } from '../registry/servers.ts';

const issuesOf = (privateCertificateAuthorities: unknown) =>
  stageSchema.safeParse({ ...local, privateCertificateAuthorities }).error?.issues.map(({ path }) => path[0]);

it('takes certificates of private authorities as PEM, one or several, and nothing else', () => {
  expect(issuesOf(undefined)).toBeUndefined();
  expect(issuesOf(certificateAuthority)).toBeUndefined();
  expect(issuesOf(certificateAuthority.repeat(2))).toBeUndefined();
  for (const wrong of [
    '',
    '/etc/ssl/ca.pem',
    '-----BEGIN CERTIFICATE-----',
    `${certificateAuthority} more`,
    7,
  ])
    expect(issuesOf(wrong)).toEqual(['privateCertificateAuthorities']);
});
