/** B1, B8: many requests at once, where transactions that meet on an item cancel each other, as DynamoDB's do. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildImage } from '../../../../shared/build/accept/image.ts';
import { holdersOf } from '../../../../shared/build/slots.ts';
import { newImageSchema } from '../../../../shared/model/image.ts';
import { createTable } from '../../../../shared/store/table.ts';
import { startEmbeddedCloud } from '../../../local/embedded-cloud.ts';
import { tableDefinition } from '../../store/real-table.ts';
import { ada, buildPlace, organisation, type Place } from '../place.ts';

async function tableWithConflicts() {
  const Table = { Type: 'AWS::DynamoDB::Table', Properties: tableDefinition('slipway') };
  const cloud = await startEmbeddedCloud(
    { stacks: { data: { Resources: { Table } } } },
    { dynamodb: { transactionMs: 10 } },
  );
  const client = new DynamoDBClient(cloud.client);
  const stop = async () => {
    client.destroy();
    await cloud.remove();
  };
  return { table: createTable('slipway', client), stop };
}

let place: Place;
beforeAll(async () => {
  place = await buildPlace({ build: { commands: ['true'] } }, [100, 100], tableWithConflicts);
});
afterAll(() => place.close());

const accept = (repository: string, ids = place.ids()) =>
  buildImage(
    place.dependencies,
    { organisation, email: ada, now: new Date() },
    ids,
    newImageSchema.parse({ source: { type: 'build', dockerfile: 'FROM scratch\n' }, repository }),
  );

test('B1 fifty different builds at once, which all take a place on one compute, are all accepted', async () => {
  const images = await Promise.all(Array.from({ length: 50 }, (_, i) => accept(`different${i}`)));
  const builds = images.map(({ currentBuild }) => currentBuild?.id ?? '');
  expect(new Set(builds).size).toBe(50);
  expect([...(await holdersOf(place.table, organisation, 'build-small'))].sort()).toEqual(builds.sort());
});

test('B8 fifty identical requests at once are one build', async () => {
  const images = await Promise.all(Array.from({ length: 50 }, () => accept('same')));
  expect(new Set(images.map(({ currentBuild }) => currentBuild?.id)).size).toBe(1);
  expect(images.filter(({ currentBuild }) => currentBuild?.cached)).toHaveLength(49);
});
