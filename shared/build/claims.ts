/**
 * B8: identical builds run once. A claim is one item, named after identity and repository, which says which build
 * answers such requests, and which image that makes. It is written in the same transaction as that build, and goes in the one that
 * ends it without success: it always names a build that is under way or has succeeded.
 */
import { parseReference } from '../registry/reference.ts';
import type { Item, Table, Write } from '../store/table.ts';

/** A build that holds a claim. */
export interface Holder {
  buildId: string;
  imageId: string;
}

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
  { id: buildId, imageId }: { id: string; imageId: string },
  seen: string | undefined,
): Write => ({
  Put: {
    TableName: table.name,
    Item: { ...table.key(organisation, 'build-claims', claim), claim, buildId, imageId },
    ...(seen === undefined
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: 'attribute_not_exists(pk) OR buildId = :seen',
          ExpressionAttributeValues: { ':seen': seen },
        }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  },
});

export async function holderOf(
  table: Table,
  organisation: string,
  claim: string,
): Promise<Holder | undefined> {
  return (await table.get(organisation, 'build-claims', claim)) as (Item & Holder) | undefined;
}

/** Whether this is the claim that another build came to hold, of all that a transaction may be refused for. */
export const isClaim = (item: Item | undefined): item is Item & Holder =>
  item !== undefined && 'claim' in item && 'buildId' in item;

export const releaseClaim = (table: Table, organisation: string, claim: string, buildId: string): Write => ({
  Delete: {
    TableName: table.name,
    Key: table.key(organisation, 'build-claims', claim),
    ConditionExpression: 'attribute_not_exists(pk) OR buildId = :id',
    ExpressionAttributeValues: { ':id': buildId },
  },
});
