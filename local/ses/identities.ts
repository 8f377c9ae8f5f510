/** Lists of the declared identities: of version 2 of SES's API, and of the first, which `aws ses` speaks. */

import { pageOf } from '../paging.ts';
import { AwsError, type QueryCall, type RestCall } from '../platform.ts';

const typeOf = (identity: string) => (identity.includes('@') ? 'EMAIL_ADDRESS' : 'DOMAIN');

export function listEmailIdentities(call: RestCall, identities: string[]): object {
  call.authorize('ses:ListEmailIdentities', '*');
  const limit = Number(call.query.get('PageSize') ?? 1000);
  if (!Number.isInteger(limit) || limit < 0 || limit > 1000)
    throw new AwsError('BadRequestException', 'PageSize must be between 0 and 1000.');
  const { items, nextToken } = pageOf(identities.toSorted(), {
    list: 'identities',
    limit: limit || 1000,
    token: call.query.get('NextToken') ?? undefined,
    invalidToken: () => new AwsError('BadRequestException', 'Invalid NextToken.'),
  });
  return {
    EmailIdentities: items.map((identity) => ({
      IdentityName: identity,
      IdentityType: typeOf(identity),
      SendingEnabled: true,
      VerificationStatus: 'SUCCESS',
    })),
    NextToken: nextToken,
  };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

export function listIdentities(call: QueryCall, identities: string[]): string {
  call.authorize('ses:ListIdentities', '*');
  const type = call.form.get('IdentityType');
  const wanted = type === 'EmailAddress' ? 'EMAIL_ADDRESS' : type === 'Domain' ? 'DOMAIN' : undefined;
  if (type && !wanted)
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value '${type}' at 'identityType' failed to satisfy constraint: Member must satisfy enum value set: [EmailAddress, Domain]`,
    );
  const found = identities.toSorted().filter((one) => !wanted || typeOf(one) === wanted);
  const members = found.map((one) => `<member>${one.replace(/[&<>]/g, (c) => entities[c] ?? c)}</member>`);
  return `<Identities>${members.join('')}</Identities>`;
}
