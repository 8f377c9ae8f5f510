/**
 * B8: identical builds run once. A claim is one item, named after identity and repository, which holds the id of the
 * build that answers such requests. It is written in the same transaction as that build, and goes in the one that
 * ends it without success: it always names a build that is under way or has succeeded.
 */
import { parseReference } from '../registry/reference.ts';
import type { Table, Write } from '../store/table.ts';

/** Registries take over manifests within a repository, so that is how far a build is shared. */
export function claimOf(identity: string, uri: string): string {
  const { host, repository } = parseReference(uri);
  return `${identity}#${host}/${repository}`;
}

/** Refused where another build has come to hold the claim since `seen` did; `seen` is absent where nobody held it. */
export const takeClaim = (
  table: Table,
  organisation: string,
  claim: string,
  buildId: string,
  seen: string | undefined,
): Write => ({
  Put: {
    TableName: table.name,
    Item: { ...table.key(organisation, 'build-claims', claim), claim, buildId },
    ...(seen === undefined
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: 'attribute_not_exists(pk) OR buildId = :seen',
          ExpressionAttributeValues: { ':seen': seen },
        }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  },
});

/** Which build holds it. */
export async function holderOf(
  table: Table,
  organisation: string,
  claim: string,
): Promise<string | undefined> {
  const item = await table.get(organisation, 'build-claims', claim);
  return item && String(item.buildId);
}

export const releaseClaim = (table: Table, organisation: string, claim: string, buildId: string): Write => ({
  Delete: {
    TableName: table.name,
    Key: table.key(organisation, 'build-claims', claim),
    ConditionExpression: 'attribute_not_exists(pk) OR buildId = :id',
    ExpressionAttributeValues: { ':id': buildId },
  },
});
